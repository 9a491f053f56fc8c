"""Every pointwise function keeps its contract: none is named here."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from archc.derive.slope import slope
from archc.derive.tangent import tangent
from archc.formula.tree import Apply, Formula, Position, Read
from archc.ops.operation import Array, Pointwise
from archc.ops.registries import POINTWISE
from archc.readings.evaluate import Named, evaluate

FUNCTIONS = list(POINTWISE)
NUMERIC = [function for function in FUNCTIONS if function.takes == ("real",)]
UNARY = [function for function in NUMERIC if function.arity == 1]
CLEAR = 1e-3


def named(function: type[Pointwise]) -> str:
    return function.word


def operands(function: type[Pointwise], count: int = 64, seed: int = 0) -> list[Array]:
    """Operands inside the derivative-safe domain, off the kinks and on both sides of each."""
    rng = np.random.default_rng([seed, *function.word.encode()])
    reach = 1.5 * max(2.0, *map(abs, function.kinks)) if function.kinks else 3.0
    low, high = max(function.low, -reach) + CLEAR, min(function.high, reach) - CLEAR
    found = []
    for _ in range(function.arity or 3):
        x = rng.uniform(low, high, count)
        for kink in function.kinks:
            x = np.where(np.abs(x - kink) < 0.05, kink + 0.1 if kink + 0.1 < high else kink - 0.1, x)
        kind = takes(function, len(found))
        found.append(x > 0 if kind == "bool" else np.sign(x) * np.ceil(np.abs(x)) if kind == "int" else x)
    return found


def takes(function: type[Pointwise], at: int) -> str:
    return function.takes[min(at, len(function.takes) - 1)]


def run(text: str, names: Mapping[str, Tensor]) -> Any:
    scope: dict[str, Any] = {"torch": torch, "F": functional, "math": math, **names}
    exec(f"result = {text}", scope)
    return scope["result"]


@pytest.mark.parametrize("function", FUNCTIONS, ids=named)
def test_states_what_it_is(function: type[Pointwise]) -> None:
    assert inspect.getdoc(function)
    assert inspect.getdoc(inspect.getmodule(function))
    assert getattr(function, "__final__", False)
    assert function.result in {"real", "int", "bool", "same"}
    assert function.low < function.high
    assert all(a < b for a, b in pairwise(function.kinks))
    assert function.flops >= 0
    function()


@pytest.mark.parametrize("function", FUNCTIONS, ids=named)
def test_takes_as_many_operands_as_it_says(function: type[Pointwise]) -> None:
    for method in (function.value, function.torch):
        parameters = list(inspect.signature(method).parameters.values())[1:]
        if function.arity is None:
            assert [p.kind for p in parameters] == [inspect.Parameter.VAR_POSITIONAL]
        else:
            assert len(parameters) == function.arity


@pytest.mark.parametrize("function", FUNCTIONS, ids=named)
def test_torch_computes_the_definition_and_its_slope(function: type[Pointwise]) -> None:
    arrays = operands(function)
    expected = function().value(*arrays)
    assert np.all(np.isfinite(expected))
    names = {f"x{at}": torch.tensor(array, requires_grad=array.dtype == np.float64) for at, array in enumerate(arrays)}
    found = run(function().torch(*names), names)
    assert found.dtype == (torch.bool if function.result == "bool" or expected.dtype == np.bool_ else torch.float64)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9, atol=1e-12)
    if function.slopes:
        found.sum().backward()
        for at, array in enumerate(arrays):
            if array.dtype == np.float64:
                leaf_slope(function, arrays, at, names[f"x{at}"])


def leaf_slope(function: type[Pointwise], arrays: list[Array], at: int, leaf: Tensor) -> None:
    step = 1e-5
    above, below = (
        function().value(*[x + sign * step if i == at else x for i, x in enumerate(arrays)]) for sign in (1, -1)
    )
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad.numpy(), (above - below) / (2 * step), rtol=2e-5, atol=2e-7)


def applied(function: type[Pointwise], count: int) -> Apply:
    """The function of values x0, x1, ... along an axis n."""
    return Apply(function.word, tuple(Read(f"x{at}", (Position("n"),)) for at in range(count)))


def value(formula: Formula, arrays: list[Array]) -> Array:
    values = {f"x{at}": Named(("n",), array) for at, array in enumerate(arrays)}
    extents = {"n": len(arrays[0])}
    return np.broadcast_to(evaluate(formula, values, extents, {}).along(("n",)), len(arrays[0]))


def quotient(formula: Formula, arrays: list[Array], at: int) -> Array:
    """The slope by one operand as the limit of differences, two orders better than a central one."""

    def central(step: float) -> Array:
        ahead, behind = (
            value(formula, [x + sign * step if i == at else x for i, x in enumerate(arrays)]) for sign in (1, -1)
        )
        return (ahead - behind) / (2 * step)

    return (4 * central(2e-5) - central(4e-5)) / 3


@pytest.mark.parametrize("function", FUNCTIONS, ids=named)
def test_what_is_stated_as_the_slope_is_the_slope(function: type[Pointwise]) -> None:
    arrays = operands(function)
    formula = applied(function, len(arrays))
    moves = function.result != "bool" and "int" not in function.takes and not function.stops
    for at, array in enumerate(arrays):
        if array.dtype == np.float64 and moves:
            np.testing.assert_allclose(
                value(slope(formula, at), arrays), quotient(formula, arrays, at), rtol=1e-7, atol=1e-8
            )


@pytest.mark.parametrize("function", [one for one in FUNCTIONS if one.slopes], ids=named)
def test_the_slope_has_a_slope_too(function: type[Pointwise]) -> None:
    arrays = operands(function, seed=4)
    formula = applied(function, len(arrays))
    for at, array in enumerate(arrays):
        if array.dtype == np.float64:
            first = slope(formula, at)
            second = tangent(first, {f"x{at}": "one"})
            found = evaluate(
                second,
                {"one": Named(("n",), np.ones(64)), **{f"x{i}": Named(("n",), x) for i, x in enumerate(arrays)}},
                {"n": 64},
                {},
            )
            np.testing.assert_allclose(
                np.broadcast_to(found.along(("n",)), 64), quotient(first, arrays, at), rtol=1e-6, atol=1e-7
            )


@pytest.mark.parametrize("function", [one for one in UNARY if one.slopes], ids=named)
def test_the_slope_is_finite_far_out_and_at_zero(function: type[Pointwise]) -> None:
    inside = [x for x in (-40.0, -8.0, 0.0, 8.0, 40.0) if function.low < x < function.high]
    smooth = [x for x in inside if x not in function.kinks]
    with np.errstate(all="ignore"):
        assert np.isfinite(value(slope(applied(function, 1), 0), [np.array(smooth)])).all()


@pytest.mark.parametrize("function", UNARY, ids=named)
def test_gradient_is_finite_far_out_and_at_zero(function: type[Pointwise]) -> None:
    if not function.slopes:
        return
    inside = [x for x in (-40.0, -8.0, 0.0, 8.0, 40.0) if function.low < x < function.high]
    smooth = [x for x in inside if x not in function.kinks]
    x = torch.tensor(smooth, dtype=torch.float32, requires_grad=True)
    run(function().torch("x"), {"x": x}).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("function", FUNCTIONS, ids=named)
def test_brackets_operands_that_need_it(function: type[Pointwise]) -> None:
    arrays = operands(function, seed=1)
    names = {f"x{at}": torch.tensor(array) for at, array in enumerate(arrays)}
    texts = [f"{name} | {name}" if tensor.dtype == torch.bool else f"{name} - 0" for name, tensor in names.items()]
    np.testing.assert_array_equal(run(function().torch(*texts), names), run(function().torch(*names), names))


@pytest.mark.parametrize("function", FUNCTIONS, ids=named)
def test_text_is_one_expression(function: type[Pointwise]) -> None:
    marks = [f"x{at}" for at in range(function.arity or 3)]
    tree = ast.parse(function().torch(*marks), mode="eval")
    read = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert set(read) <= {*marks, "torch", "F", "math"}
    assert set(marks) <= set(read)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.scalar], ids=named)
def test_scalar_function_agrees(function: type[Pointwise]) -> None:
    arrays = operands(function, count=4)
    expected = function().value(*arrays)
    for at in range(4):
        text = f"{function.scalar}({', '.join(repr(float(x[at])) for x in arrays)})"
        assert math.isclose(run(text, {}), expected[at], rel_tol=1e-12, abs_tol=1e-15)


@pytest.mark.parametrize("function", NUMERIC, ids=named)
def test_allowed_factors_hold(function: type[Pointwise]) -> None:
    arrays = operands(function)
    allowed = [(float(a), float(b)) for a, b in function.factors.units]
    if function.factors.positive is not None:
        allowed += [(a, a**function.factors.positive) for a in (0.5, 2.0)]
    for a, b in allowed:
        scaled = function().value(*[a * x for x in arrays])
        expected = function().value(*arrays)
        if function.result == "bool":
            np.testing.assert_array_equal(scaled, expected)
        else:
            np.testing.assert_allclose(scaled, b * expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("function", UNARY, ids=named)
def test_no_other_factor_holds(function: type[Pointwise]) -> None:
    (x,) = operands(function)
    units = dict(function.factors.units)
    for a, listed in ((-1.0, -1 in units), (0.5, function.factors.positive is not None)):
        inside = (a * x > function.low) & (a * x < function.high)
        if inside.sum() < 8:
            continue
        before, after = function().value(x[inside]), function().value(a * x[inside])
        scale = (before @ after) / (before @ before)
        assert np.allclose(after, scale * before, rtol=1e-9, atol=1e-9) == listed


@pytest.mark.parametrize("function", UNARY, ids=named)
def test_linear_means_linear(function: type[Pointwise]) -> None:
    x, y = operands(function, seed=2)[0], operands(function, seed=3)[0]
    inside = (x + y > function.low) & (x + y < function.high)
    total = function().value((x + y)[inside])
    parts = function().value(x[inside]) + function().value(y[inside])
    assert np.allclose(total, parts, rtol=1e-9) == function.factors.linear
