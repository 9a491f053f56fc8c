"""Verification passes what is right and finds what is wrong, forward, backward and in the names."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from archc.base.assets import specs_root
from archc.driver import build, graph
from archc.ir.graph import TypedGraph
from archc.run.load import instantiate, load_module
from archc.run.report import VerifyReport
from archc.run.request import RunError
from archc.run.verify import verify

SPECS = sorted(path for path in specs_root().rglob("*.arch") if path.parent.name != "std")

SMALL = """
net Small (width = 4)
        (x: real[batch, d], p: simplex(d)[batch, d], i: index(d)[batch])
        -> (y: real[batch, h: width], z: real[batch])
{
    let y = x |> layer(d -> h: width, neuron = tanh)
    return y, (sum d: x * p) + x[d: i]
}
"""


@cache
def small() -> tuple[TypedGraph, str]:
    return graph(SMALL), build(SMALL)


def changed(old: str, new: str) -> VerifyReport:
    typed, text = small()
    assert old in text
    return verify(typed, text.replace(old, new), regimes=("primes",))


def wrong(report: VerifyReport) -> set[tuple[str, str]]:
    return {(one.what, one.name) for trial in report.trials for one in trial.comparisons if not one.ok}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec(path: Path) -> None:
    typed = graph(path)
    report = verify(typed, build(path))
    assert report.ok, report.to_json()
    assert [trial.regime for trial in report.trials] == ["primes", "equal", "ones"]


def test_every_tensor_is_compared() -> None:
    typed, text = small()
    report = verify(typed, text, regimes=("primes",))
    assert report.ok, report.to_json()
    compared = [(one.what, one.name) for one in report.trials[0].comparisons]
    assert compared == [
        ("output", "y"), ("output", "z"),
        ("parameter", "y_weight"), ("parameter", "y_bias"),
        ("input", "x"), ("input", "p"),
    ]  # fmt: skip


def test_a_value_that_is_a_little_wrong() -> None:
    assert ("output", "y") in wrong(changed("torch.tanh(", "1.0000001 * torch.tanh("))


def test_a_gradient_that_is_cut_off() -> None:
    found = wrong(changed("self.y_weight, self.y_bias", "self.y_weight.detach(), self.y_bias"))
    assert ("parameter", "y_weight") in found
    assert not any(what == "output" for what, _ in found)


def test_a_parameter_under_another_name() -> None:
    report = changed("y_bias", "offset")
    assert not report.ok
    assert "y_bias missing" in str(report.trials[0].fault)


def test_a_module_that_fails() -> None:
    report = changed("torch.tanh(", "torch.nonsense(")
    assert not report.ok
    assert "nonsense" in str(report.trials[0].fault)


def test_sizes_that_cannot_be() -> None:
    text = "net A (x: real[n]) -> (y: real[n]) where n % 2 == 0 { return x }"
    with pytest.raises(RunError, match="n % 2 == 0, which does not hold for n = 3"):
        verify(graph(text), build(text), sizes={"n": 3})


def test_the_report_as_json() -> None:
    typed, text = small()
    found = json.loads(verify(typed, text, regimes=("ones",)).to_json())
    assert found["ok"] is True
    assert found["trials"][0]["sizes"]["batch"] == 1
    assert {"what", "name", "error", "limit", "ok"} <= found["trials"][0]["comparisons"][0].keys()


def test_given_inputs_and_weights_are_what_is_compared(tmp_path: Path) -> None:
    typed, text = small()
    module = instantiate(load_module(text), {"d": 3, "width": 4}, seed=7)
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(5, 3)))
    report = verify(typed, text, inputs={"x": tmp_path / "x.npy"}, weights=tmp_path / "w.safetensors", sizes={"d": 3})
    assert report.ok, report.to_json()
    assert [trial.sizes for trial in report.trials] == [{"width": 4, "batch": 5, "d": 3}]
    with pytest.raises(RunError, match=r"of shape \(4, 3\), not \(4, 2\)"):
        verify(typed, text, weights=tmp_path / "w.safetensors", sizes={"d": 2})


def test_a_broken_assumption_is_no_mismatch() -> None:
    text = "net A (x: real[n]) -> (y: real[n]) { assume x > 0 return x }"
    with pytest.raises(RunError, match="the assumption at"):
        verify(graph(text), build(text))


def test_assumed_sizes_are_chosen() -> None:
    text = "net A (x: real[n]) -> (y: real[n]) { assume size(n) >= 3 return x }"
    report = verify(graph(text), build(text))
    assert report.ok
    assert [trial.sizes["n"] for trial in report.trials][-1] == 3


@pytest.mark.gpu
def test_on_cuda() -> None:
    assert verify(*small(), device="cuda").ok


def test_kinks_are_stepped_over() -> None:
    text = "net A (x: real[batch, n]) -> (y: real[batch]) { let y[batch] = max n: abs(x) return y }"
    assert verify(graph(text), build(text)).ok


MAXIMUM = """
net A (x: real[n], src: index(n)[e], dst: index(n)[e]) -> (y: real[n]) {
    let y[n] = max e where dst == n: x[n: src]
    return y
}
"""


def test_a_maximum_over_nothing_is_minus_infinity_to_both() -> None:
    typed, text = graph(MAXIMUM), build(MAXIMUM)
    sizes = {"n": 7, "e": 3}  # some nodes have no edge
    assert verify(typed, text, sizes=sizes, regimes=("small",)).ok
    wrong = text.replace("-torch.inf", "-1e30")
    assert wrong != text
    assert not verify(typed, wrong, sizes=sizes, regimes=("small",)).ok
