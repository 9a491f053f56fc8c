"""Hyper-parameters: when a spec is built, and when its class is called."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

import archc
from archc.run.load import load_module
from tests.specs.conftest import NAMES, ROOT


def made(name: str, **hypers: int) -> type[nn.Module]:
    path = ROOT / f"{name}.arch"
    return load_module(archc.build(path, **hypers))


def defaults(found: type[nn.Module]) -> dict[str, object]:
    return {name: parameter.default for name, parameter in inspect.signature(found).parameters.items()}


def test_every_class_asks_for_the_sizes_of_axes_only() -> None:
    """Those that a parameter has, such as a bias over a grid; every hyper-parameter of a spec has a default."""
    for name in NAMES:
        found = made(name)
        asked = {word for word, default in defaults(found).items() if default is inspect.Parameter.empty}
        axes = {symbol.name for symbol in archc.graph(ROOT / f"{name}.arch").net.symbols if symbol.role == "axis"}
        assert asked <= axes, name
        found(**dict.fromkeys(asked, 16))


@pytest.mark.parametrize(
    ("name", "hypers"),
    [
        ("attention/attention", {"width": 12, "heads": 3, "depth": 1}),
        ("basic/mlp", {"width": 8}),
        ("kan/chebykan", {"degree": 3}),
        ("kan/kan", {"hidden": 8}),
        ("vision/unet", {"width": 4}),
    ],
)
def test_building_with_other_values_changes_the_defaults(name: str, hypers: dict[str, int]) -> None:
    before, after = defaults(made(name)), defaults(made(name, **hypers))
    assert after == before | hypers
    built, called = made(name, **hypers)(), made(name)(**hypers)
    assert [(n, p.shape) for n, p in built.named_parameters()] == [(n, p.shape) for n, p in called.named_parameters()]


@pytest.mark.parametrize(
    ("name", "hypers", "inputs", "shapes"),
    [
        ("kan/kan", {"hidden": 7, "grid": 4}, [(3, 2)], {"layer_coefficients": (7, 2, 7), "y_weight": (1, 7)}),
        ("kan/chebykan", {"hidden": 3, "degree": 2}, [(3, 64)], {"logits_c": (10, 3, 3)}),
        ("basic/mlp", {"width": 5, "depth": 1}, [(3, 64)], {"h_weight": (5, 64), "logits_weight": (10, 5)}),
        ("attention/attention", {"width": 6, "heads": 3, "depth": 0}, [(2, 4, 3)], {"h_weight": (6, 3)}),
        ("operators/deeponet", {"latent": 2, "width": 3}, [(2, 100), (2, 5, 1)], {"b": ()}),
        ("vision/unet", {"width": 2}, [(1, 3, 8, 8)], {"y_weight": (1, 2)}),
    ],
)
def test_the_class_takes_other_values(
    name: str, hypers: dict[str, int], inputs: list[tuple[int, ...]], shapes: dict[str, tuple[int, ...]]
) -> None:
    module = made(name)(**hypers)
    found = {path: tuple(parameter.shape) for path, parameter in module.named_parameters()}
    assert shapes.items() <= found.items()
    assert module(*(torch.zeros(shape) for shape in inputs)).isfinite().all()


@pytest.mark.parametrize(
    ("name", "hypers", "words"),
    [
        ("attention/attention", {"width": 63}, "width % heads == 0"),
        ("kan/kan", {"grid": 0}, "grid >= 1"),
        ("basic/mlp", {"depth": 0}, "depth"),
    ],
)
def test_the_class_refuses_what_the_spec_does_not_allow(name: str, hypers: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made(name)(**hypers)


@pytest.mark.parametrize(
    ("name", "hypers"),
    [
        ("attention/attention", {"width": 63}),
        ("kan/kan", {"grid": 0}),
        ("kan/kan", {"order": -1}),
        ("kan/kan", {"hidden": 0}),
        ("kan/kan", {"hidden": "wide"}),
        ("kan/kan", {"hidden": 2.5}),
        ("kan/kan", {"hidden": True}),
        ("basic/mlp", {"depth": 0}),
        ("basic/mlp", {"width": -1}),
        ("vision/unet", {"levels": -1}),
        ("vision/unet", {"levels": 10**9}),
    ],
)
def test_building_refuses_what_the_spec_does_not_allow(name: str, hypers: dict[str, int]) -> None:
    with pytest.raises(archc.ArchError) as caught:
        archc.build(ROOT / f"{name}.arch", **hypers)
    assert all(finding.span.source.path.endswith(f"{name}.arch") for finding in caught.value.diagnostics)


WINDOW = """
block window(k: int) (x: real[n: 10]) -> (y: real[n: 5])
    where k <= 5
{
    let y[n: 5] = x[n: n + k]
    return y
}

net Window(start = 2) (x: real[n: 10]) -> (y: real[n: 5])
    where start <= 5
{
    return window(x, k = start - 0)
}
"""


def test_a_net_keeps_its_own_promises() -> None:
    """Nobody calls a net, so its `where` is checked for the values given, and by its class."""
    archc.build(WINDOW, start=5)
    with pytest.raises(archc.ArchError, match="start <= 5"):
        archc.build(WINDOW, start=6)
    assert archc.check(WINDOW.replace("start = 2", "start = 6"))
    found = load_module(archc.build(WINDOW), "Window")
    found(start=5)
    with pytest.raises(ValueError, match="start <= 5"):
        found(start=6)


@pytest.mark.parametrize("start", ["-1", "2 - 3", "start - 3"])
def test_a_size_that_may_be_negative_is_refused(start: str) -> None:
    """A position before the first is no position, whoever computes it."""
    (found,) = archc.check(WINDOW.replace("start - 0", start))
    assert found.code == "E0321"
    assert "0" in found.message


def test_choosing_more_experts_than_there_are_is_refused() -> None:
    with pytest.raises(archc.ArchError, match="E0321"):
        archc.build(ROOT / "attention/switch.arch", count=2, keep=3)
