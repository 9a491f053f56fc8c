"""The Python interface as it is documented, and that it leaves the process as it was."""

from __future__ import annotations

import inspect
import logging
import random
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

import archc
from archc.base.assets import specs_root

KAN = specs_root() / "kan" / "kan.arch"
TEXT = """
net Tiny(width = 3) (x: real[batch, d: 2]) -> (y: real[batch, d: width]) {
    return x |> layer(d -> d: width, neuron = tanh)
}
"""
WRONG = """
net Wrong (x: real[batch, d: 2]) -> (y: real[batch, d: 2]) {
    let a = rellu(x)
    let b = tahn(x)
    return a + b
}
"""


def test_load_gives_a_module_that_trains() -> None:
    net = archc.load(KAN, hidden=8)
    assert isinstance(net, nn.Module)
    x = torch.linspace(-1, 1, 64).reshape(32, 2)
    wanted = torch.sin(3 * x).sum(1, keepdim=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = (net(x) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_paths_may_be_texts_and_path_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(specs_root())
    assert archc.build("kan/kan.arch") == archc.build(Path("kan/kan.arch")) == archc.build(KAN)
    assert archc.load(TEXT, width=5)(torch.zeros(4, 2)).shape == (4, 5)


def test_build_gives_python_text() -> None:
    source = archc.build(KAN, hidden=8)
    assert "class KAN(nn.Module)" in source
    compile(source, "kan.py", "exec")


def test_graph_is_a_graph_of_networkx() -> None:
    graph = archc.graph(KAN, hidden=8)
    assert isinstance(graph, archc.TypedGraph)
    assert isinstance(graph.nx, nx.MultiDiGraph)
    assert nx.is_directed_acyclic_graph(graph.nx)
    assert dict(graph.options) == {"hidden": 8}


def test_reference_agrees_with_the_module_by_name() -> None:
    graph = archc.graph(KAN, hidden=8)
    net = archc.load(KAN, hidden=8).double()
    x = np.linspace(-0.9, 0.9, 14).reshape(7, 2)
    parameters = {name: parameter.detach().numpy() for name, parameter in net.named_parameters()}
    out = archc.reference(graph)({"x": x}, parameters)
    assert list(out) == ["y"]
    assert out["y"].dtype == np.float64
    np.testing.assert_allclose(out["y"], net(torch.from_numpy(x)).detach().numpy(), rtol=1e-6)


def test_check_gives_diagnostics_and_never_raises() -> None:
    assert archc.check(KAN) == ()
    found = archc.check(WRONG)
    assert len(found) == 2
    assert all(isinstance(one, archc.Diagnostic) for one in found)
    for bad in ("net {", "}", "net N () -> () { return }", "no_such_file.arch", Path(), "\x00{"):
        assert archc.check(bad), repr(bad)


def test_a_text_of_one_line_without_braces_is_told_where_it_ends() -> None:
    (found,) = archc.check("net A (x: real[d]) -> (y: real[d])")
    assert found.code != "E0600"
    (found,) = archc.check("net work.arch")
    assert found.code == "E0600"


@pytest.mark.parametrize("given", [None, b"net", 3])
def test_what_is_neither_path_nor_text_is_refused_by_its_type(given: object) -> None:
    for ask in (archc.check, archc.build, archc.graph, archc.load):
        with pytest.raises(TypeError, match=f"not as {type(given).__name__}"):
            ask(given)  # type: ignore[operator]


@pytest.mark.parametrize("name", ["mlp", "set_pointer", "self", "class_", "F", "torch", "Tensor", "Callable", "A1"])
def test_a_net_of_any_name_is_loaded(name: str) -> None:
    net = archc.load(f"net {name} (x: real[b, n: 4]) -> (y: real[b, n: 4]) {{ return x |> layer(n -> n) }}")
    assert net(torch.zeros(2, 4)).shape == (2, 4)


def test_hyper_parameters_of_any_name_are_set() -> None:
    ports = "(x: real[b]) -> (y: real[b, s: sizes, k: hypers])"
    text = f"net A (sizes = 2, hypers = 3) {ports} {{ let y[b, s, k] = x  return y }}"
    assert archc.load(text, hypers={"sizes": 4, "hypers": 5})(torch.zeros(1)).shape == (1, 4, 5)


@pytest.mark.parametrize("ask", [archc.build, archc.graph, archc.load], ids=lambda ask: ask.__name__)
def test_a_bad_spec_raises_every_diagnostic(ask: Callable[[str], object]) -> None:
    with pytest.raises(archc.ArchError) as caught:
        ask(WRONG)
    assert [one.message for one in caught.value.diagnostics] == [one.message for one in archc.check(WRONG)]
    assert "rellu" in str(caught.value)
    assert "tahn" in str(caught.value)


def test_an_unknown_hyper_parameter_names_the_nearest() -> None:
    with pytest.raises(archc.ArchError, match="hiden") as caught:
        archc.build(KAN, hiden=8)
    assert "hidden" in str(caught.value.diagnostics[0].help)


def test_everything_public_is_documented() -> None:
    for name in archc.__all__:
        found = getattr(archc, name)
        assert name == "__version__" or inspect.getdoc(found), name


def state() -> dict[str, object]:
    """What a library has no business to change."""
    return {
        "recursion": sys.getrecursionlimit(),
        "digits": sys.get_int_max_str_digits(),
        "warnings": list(warnings.filters),
        "handlers": list(logging.getLogger().handlers),
        "level": logging.getLogger().level,
        "random": random.getstate(),
        "numpy": np.random.mtrand._rand.get_state()[1].tolist(),
        "numpy errors": np.geterr(),
        "torch": tuple(torch.get_rng_state().tolist()),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "running": {thread.name for thread in threading.enumerate()},
        "path": list(sys.path),
        "hooks": (sys.excepthook, sys.displayhook),
    }


def test_nothing_global_changes_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    from archc.run.verify import verify

    archc.load(TEXT)  # imports that come late have their own effects on the process
    before = state()
    graph, source = archc.graph(TEXT, width=4), archc.build(TEXT, width=4)
    archc.check(TEXT)
    archc.check(WRONG)
    archc.reference(graph)({"x": np.zeros((2, 2))}, {"y_weight": np.zeros((4, 2)), "y_bias": np.zeros(4)})
    with pytest.raises(archc.ArchError):
        archc.build(WRONG)
    verify(graph, source)
    assert state() == before
    assert capfd.readouterr() == ("", "")


def test_load_draws_from_torch_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """A module's parameters are random numbers of torch's own generator, like those of any module."""
    torch.manual_seed(0)
    first = archc.load(TEXT)
    before = state()
    second = archc.load(TEXT)
    after = state()
    assert {name for name in before if before[name] != after[name]} == {"torch"}
    torch.manual_seed(0)
    again = archc.load(TEXT)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(next(first.parameters()), next(second.parameters()))
    assert capfd.readouterr() == ("", "")


def test_load_follows_torch_defaults() -> None:
    """In float64 and on the device that the caller set."""
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        assert {parameter.dtype for parameter in archc.load(KAN).parameters()} == {torch.float64}
    finally:
        torch.set_default_dtype(before)
    with torch.device("meta"):
        assert all(parameter.is_meta for parameter in archc.load(KAN).parameters())
