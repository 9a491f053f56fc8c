"""The value of a formula: arrays meet by axis name, and nothing is forgiven."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, SizeValue
from archc.readings.evaluate import MeaningError, Named, evaluate
from archc.types.size import Size
from archc.types.tensor_type import Axis

RANDOM = np.random.default_rng(0)


def axes(**sizes: int) -> tuple[Axis, ...]:
    return tuple(Axis(name, Size.of(size)) for name, size in sizes.items())


def read(value: str, *indices: str | Formula, outside: Formula | None = None) -> Read:
    return Read(value, tuple(Position(i) if isinstance(i, str) else i for i in indices), outside)


def apply(function: str, *operands: Formula) -> Apply:
    return Apply(function, operands)


def value(formula: Formula, values: Mapping[str, Named] | None = None, order: str = "", **extents: int) -> np.ndarray:
    result = evaluate(formula, values or {}, extents, {"w": 7})
    return result.along(order.split())


def random(*names: str, **sizes: int) -> Named:
    return Named(tuple(sizes), RANDOM.uniform(-1, 1, tuple(sizes.values())))


def test_arrays_meet_by_name_whatever_their_order() -> None:
    x, y = random(a=2, b=3), random(b=3, a=2)
    got = value(apply("add", read("x", "a", "b"), read("y", "b", "a")), {"x": x, "y": y}, "a b", a=2, b=3)
    assert np.array_equal(got, x.array + y.array.T)


def test_product_under_a_sum_is_a_contraction() -> None:
    w, x = random(k=4, d=5), random(n=3, d=5)
    formula = Reduce("sum", axes(d=5), apply("mul", read("w", "k", "d"), read("x", "n", "d"), Literal(2)))
    assert np.allclose(value(formula, {"w": w, "x": x}, "n k", n=3, k=4), 2 * x.array @ w.array.T)


def test_nested_sums_are_merged_only_when_they_are_different() -> None:
    x = random(d=5)
    inner = Reduce("sum", axes(d=5), read("x", "d"))
    assert np.isclose(value(Reduce("sum", axes(e=2), apply("mul", inner, inner)), {"x": x}), 2 * x.array.sum() ** 2)


def test_axis_that_no_factor_has_is_counted() -> None:
    assert value(Reduce("sum", axes(e=6), Literal(2))) == 12


def test_condition_leaves_out_what_is_infinite() -> None:
    x = Named(("m",), np.array([1.0, np.inf, 2.0]))
    formula = Reduce("sum", axes(m=3), read("x", "m"), apply("ne", Position("m"), Literal(1)))
    assert value(formula, {"x": x}) == 3


def test_causal_condition_masks() -> None:
    x = random(m=4)
    formula = Reduce("sum", axes(m=4), read("x", "m"), apply("le", Position("m"), Position("n")))
    assert np.allclose(value(formula, {"x": x}, "n", n=4), np.cumsum(x.array))


def test_pointer_sum_adds_messages_at_their_target() -> None:
    nodes, edges = 300, 4000
    target, message = RANDOM.integers(0, nodes, edges), random(e=edges, k=8)
    formula = Reduce("sum", axes(e=edges), read("m", "e", "k"), apply("eq", read("dst", "e"), Position("n")))
    wanted = np.zeros((nodes, 8))
    np.add.at(wanted, target, message.array)
    got = value(formula, {"m": message, "dst": Named(("e",), target)}, "n k", n=nodes, k=8)
    assert np.allclose(got, wanted)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("mean", np.mean), ("prod", np.prod), ("max", np.max), ("min", np.min)],
)
def test_reductions(kind: str, wanted: object) -> None:
    x = random(a=3, b=4)
    got = value(Reduce(kind, axes(b=4), read("x", "a", "b")), {"x": x}, "a", a=3)
    assert callable(wanted)
    assert np.allclose(got, wanted(x.array, axis=1))


def test_reading_beyond_an_axis() -> None:
    x = Named(("h",), np.arange(4.0))
    ahead = apply("add", Position("h"), Literal(1))
    with pytest.raises(MeaningError, match="read at 4 on axis h of size 4"):
        value(read("x", ahead), {"x": x}, "h", h=4)
    got = value(read("x", ahead, outside=Literal(-1.0)), {"x": x}, "h", h=4)
    assert got.tolist() == [1, 2, 3, -1]


def test_circular_reading() -> None:
    x = Named(("h",), np.arange(5.0))
    shifted = apply("mod", apply("add", Position("h"), Literal(2)), SizeValue(Size.of(5)))
    assert value(read("x", shifted), {"x": x}, "h", h=5).tolist() == [2, 3, 4, 0, 1]


def test_diagonal_and_transposed_readings() -> None:
    x = random(a=3, b=3)
    assert np.array_equal(value(read("x", "i", "i"), {"x": x}, "i", i=3), x.array.diagonal())
    assert np.array_equal(value(read("x", "b", "a"), {"x": x}, "a b", a=3, b=3), x.array.T)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (read("y", "a"), "no value y"),
        (read("x", "a"), "read with 1 indices"),
        (read("x", "a", "c"), "no such axis"),
        (read("x", "a", Literal(0.5)), "indexed by float64"),
        (read("x", "a", Literal(3)), "read at 3 on axis b of size 3"),
        (apply("not", read("x", "a", "b")), "of float64"),
        (apply("add", read("x", "a", "b"), apply("lt", Position("a"), Literal(1))), "of bool"),
        (Reduce("sum", axes(b=3), apply("lt", Position("b"), Literal(1))), "sum of conditions"),
        (Reduce("sum", axes(b=3), read("x", "a", "b"), Position("b")), "not a condition"),
        (Reduce("sum", axes(a=5), read("x", "a", "b")), "size 5"),
    ],
)
def test_faults(formula: Formula, message: str) -> None:
    with pytest.raises(MeaningError, match=message):
        value(formula, {"x": random(a=2, b=3)}, "a b", a=2, b=3)


def test_lengths_are_never_broadcast() -> None:
    with pytest.raises(MeaningError):
        value(read("x", "a"), {"x": Named(("a",), np.ones(1))}, "a", a=3)


def test_ten_thousand_terms_and_a_deep_chain() -> None:
    terms = apply("add", *(apply("mul", Literal(1.0), SizeValue(Size.symbol("w"))) for _ in range(10_000)))
    assert value(terms) == 70_000
    deep: Formula = Literal(1.0)
    for _ in range(5_000):
        deep = apply("neg", deep)
    assert value(deep) == 1


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_contraction_equals_its_definition(i: int, j: int, k: int, seed: int) -> None:
    """`sum j: a[i, j] * b[j, k]` entry by entry."""
    generator = np.random.default_rng(seed)
    a, b = Named(("i", "j"), generator.normal(size=(i, j))), Named(("j", "k"), generator.normal(size=(j, k)))
    formula = Reduce("sum", axes(j=j), apply("mul", read("a", "i", "j"), read("b", "j", "k")))
    wanted = [[sum(a.array[p, r] * b.array[r, q] for r in range(j)) for q in range(k)] for p in range(i)]
    assert np.allclose(value(formula, {"a": a, "b": b}, "i k", i=i, k=k), wanted)
