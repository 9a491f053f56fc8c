"""Every reduction keeps its contract: none is named here."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from archc.ops.operation import Array, Reduction
from archc.ops.registries import REDUCTIONS

ALL = list(REDUCTIONS)
SHAPE = (3, 4, 5)
DIMENSIONS = [(2,), (1,), (0, 2), (0, 1, 2)]


def named(reduction: type[Reduction]) -> str:
    return reduction.word


def operand(reduction: type[Reduction]) -> Array:
    x = np.random.default_rng(0).uniform(-2.0, 2.0, SHAPE)
    return x > 0 if reduction.result == "bool" else x


def run(text: str, **names: Tensor) -> Any:
    scope: dict[str, Any] = {"torch": torch, **names}
    exec(f"result = {text}", scope)
    return scope["result"]


@pytest.mark.parametrize("reduction", ALL, ids=named)
def test_states_what_it_is(reduction: type[Reduction]) -> None:
    assert inspect.getdoc(reduction)
    assert inspect.getdoc(inspect.getmodule(reduction))
    assert getattr(reduction, "__final__", False)
    assert reduction.result in {"real", "bool", "same"}
    assert isinstance(reduction.identity, float)


@pytest.mark.parametrize("reduction", ALL, ids=named)
def test_of_nothing_is_the_identity(reduction: type[Reduction]) -> None:
    value = reduction().value(operand(reduction), (1, 2), np.zeros(SHAPE, dtype=bool))
    np.testing.assert_array_equal(value.astype(np.float64), np.full(SHAPE[0], reduction.identity))


@pytest.mark.parametrize("reduction", ALL, ids=named)
@pytest.mark.parametrize("dims", DIMENSIONS, ids=str)
def test_entries_that_are_left_out_are_not_there(reduction: type[Reduction], dims: tuple[int, ...]) -> None:
    x = operand(reduction)
    keep = np.ones(SHAPE, dtype=bool)
    keep[(slice(None),) * dims[0] + (1,)] = False
    without = np.delete(x, 1, axis=dims[0])
    expected = reduction().value(without, dims, np.asarray(True))
    np.testing.assert_allclose(reduction().value(x, dims, keep), expected, rtol=1e-12)
    spoiled = np.where(keep, x, x if x.dtype == np.bool_ else np.nan)
    np.testing.assert_allclose(reduction().value(spoiled, dims, keep), expected, rtol=1e-12)


@pytest.mark.parametrize("reduction", ALL, ids=named)
@pytest.mark.parametrize("dims", DIMENSIONS, ids=str)
@pytest.mark.parametrize("from_end", [True, False])
def test_torch_computes_the_definition_and_its_slope(
    reduction: type[Reduction], dims: tuple[int, ...], *, from_end: bool
) -> None:
    x = operand(reduction)
    leaf = torch.tensor(x, requires_grad=x.dtype == np.float64)
    places = tuple(dim - 3 for dim in dims) if from_end else dims
    found = run(reduction().torch("x", places), x=leaf)
    np.testing.assert_allclose(found.detach().numpy(), reduction().value(x, dims, np.asarray(True)), rtol=1e-12)
    if leaf.requires_grad:
        found.sum().backward()
        step = 1e-6
        bump = np.zeros(SHAPE)
        bump[1, 2, 3] = step
        above, below = (reduction().value(x + sign * bump, dims, np.asarray(True)).sum() for sign in (1, -1))
        assert leaf.grad is not None
        assert leaf.grad[1, 2, 3].item() == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("reduction", ALL, ids=named)
def test_torch_reduces_where_a_condition_holds(reduction: type[Reduction]) -> None:
    x = operand(reduction)
    for shape in (SHAPE, (1, 4, 1)):
        keep = np.random.default_rng(1).uniform(size=shape) > 0.4
        leaf = torch.tensor(x, requires_grad=x.dtype == np.float64)
        found = run(reduction().torch_where("x", "keep", (-2, -1)), x=leaf, keep=torch.tensor(keep))
        expected = reduction().value(x, (1, 2), np.broadcast_to(keep, SHAPE))
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)
        if leaf.requires_grad:
            found.sum().backward()
            assert leaf.grad is not None
            assert torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("reduction", [one for one in ALL if one.result != "bool"], ids=named)
def test_whole_numbers_stay_whole(reduction: type[Reduction]) -> None:
    x = np.arange(1, 7).reshape(2, 3)
    value = reduction().value(x, (1,), np.asarray(True))
    assert np.issubdtype(value.dtype, np.integer if reduction.result == "same" else np.floating)


@pytest.mark.parametrize("reduction", [one for one in ALL if one.scatter], ids=named)
def test_scatter_word_is_torchs(reduction: type[Reduction]) -> None:
    x = torch.tensor(operand(reduction)[0, 0])
    target = torch.tensor([0, 1, 0, 1, 0])
    out = torch.zeros(2, dtype=torch.float64)
    found = out.scatter_reduce(0, target, x, str(reduction.scatter), include_self=False)
    for position in range(2):
        expected = reduction().value(x.numpy(), (0,), target.numpy() == position)
        assert found[position].item() == pytest.approx(float(expected), rel=1e-12)
