"""Tangents, Jacobians and pull-backs against finite differences of the reference's own evaluation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from archc.derive.linear import NotLinearError, affine_in, at_zero, derivative, mixed, pulled_back, terms
from archc.derive.tangent import tangent
from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, walk
from archc.ops.registries import REDUCTIONS
from archc.readings.evaluate import Named, evaluate
from archc.types.size import Size
from archc.types.tensor_type import Axis

RANDOM = np.random.default_rng(0)
EXTENTS = {"i": 3, "d": 4, "e": 4, "p": 4, "q": 3}
I, D, J, K, T = (Axis(name, Size.of(size)) for name, size in (("i", 3), ("d", 4), ("j", 4), ("k", 3), ("t", 2)))


def read(value: str, *indices: str | Formula, outside: Formula | None = None) -> Read:
    return Read(value, tuple(Position(i) if isinstance(i, str) else i for i in indices), outside)


def call(word: str, *operands: Formula | float, **attributes: float) -> Apply:
    parts = tuple(one if isinstance(one, Formula) else Literal(one) for one in operands)
    return Apply(word, parts, tuple(attributes.items()))


def total(axis: Axis, body: Formula, condition: Formula | None = None, kind: str = "sum") -> Reduce:
    return Reduce(kind, (axis,), body, condition)


def given() -> dict[str, Named]:
    arrays = {"h": ("d",), "a": ("d",), "w": ("i", "d"), "s": (), "m": ("i", "d")}
    values = {
        name: Named(axes, RANDOM.uniform(0.3, 1.4, [EXTENTS[axis] for axis in axes])) for name, axes in arrays.items()
    }
    return {**values, "at": Named(("i",), np.array([2, 0, 2]))}


H, A, S = read("h", "d"), read("a", "d"), read("s")
UNDER = {
    "own entry": call("mul", A, H),
    "twice": call("add", call("square", H), call("mul", H, A)),
    "shared function": call("mul", call("tanh", H), call("sigmoid", call("mul", H, A))),
    "power": call("pow", H, 3),
    "power of power": call("pow", A, H),
    "choice": call("where", call("gt", H, 0.8), call("exp", H), call("log", call("mul", 2.0, H))),
    "dense": total(J, call("mul", read("w", "i", "j"), read("h", "j"))),
    "recurrence": call("tanh", call("add", total(J, call("mul", read("w", "i", "j"), read("h", "j"))), S)),
    "some": total(J, read("h", "j"), call("lt", Position("j"), Position("d"))),
    "mean": total(J, call("square", read("h", "j")), kind="mean"),
    "mean of some": total(J, call("square", read("h", "j")), call("le", Position("j"), Position("d")), "mean"),
    "largest": total(J, call("mul", read("w", "i", "j"), read("h", "j")), kind="max"),
    "smallest of some": total(J, read("h", "j"), call("ne", Position("j"), Position("d")), "min"),
    "product": total(J, read("h", "j"), kind="prod"),
    "product of some": total(J, read("h", "j"), call("ne", Position("j"), Position("d")), "prod"),
    "logsumexp": total(J, call("mul", read("w", "i", "j"), read("h", "j")), kind="logsumexp"),
    "softmax": call("div", call("exp", H), total(J, call("exp", read("h", "j")))),
    "reversed": read("h", call("sub", 3, Position("d"))),
    "window": total(T, call("mul", A, read("h", call("add", Position("d"), Position("t")), outside=Literal(0.0)))),
    "stride": total(T, read("h", call("add", call("mul", 2, Position("i")), Position("t")), outside=Literal(0.0))),
    "beyond": read("h", call("add", Position("d"), 2), outside=call("mul", S, read("h", Literal(0)))),
    "another's beyond": read("a", call("sub", Position("d"), 1), outside=read("h", Literal(2))),
    "pointer": call("mul", read("h", read("at", "i")), read("w", "i", "d")),
    "variance": total(
        J, call("square", call("sub", read("h", "j"), total(K, read("h", "k"), kind="mean"))), kind="mean"
    ),
    "constant": A,
    "rounded": call("round", H),
}
EVERY = pytest.mark.parametrize("formula", UNDER.values(), ids=UNDER)


def value(formula: Formula, values: Mapping[str, Named], order: tuple[str, ...]) -> np.ndarray:
    found = evaluate(formula, values, EXTENTS, {})
    assert set(found.axes) <= set(order)
    return np.broadcast_to(found.along(order), [EXTENTS[axis] for axis in order])


def moved(formula: Formula, values: Mapping[str, Named], direction: np.ndarray) -> np.ndarray:
    """The derivative along a direction by Richardson's central differences."""

    def slope(step: float) -> np.ndarray:
        ahead, behind = (
            value(formula, {**values, "h": Named(("d",), values["h"].array + sign * step * direction)}, ("i", "d"))
            for sign in (1, -1)
        )
        return (ahead - behind) / (2 * step)

    return (4 * slope(5e-4) - slope(1e-3)) / 3


def apart(formula: Formula) -> bool:
    """Whether no axis is bound twice."""
    bound = [axis.name for part in walk(formula) if isinstance(part, Reduce) for axis in part.axes]
    return len(bound) == len(set(bound)) and formula.free.isdisjoint(bound)


@EVERY
def test_the_tangent_is_the_slope_of_the_value(formula: Formula) -> None:
    values = given()
    direction = RANDOM.standard_normal(4)
    found = tangent(formula, {"h": "dh"})
    assert apart(found)
    got = value(found, {**values, "dh": Named(("d",), direction)}, ("i", "d"))
    np.testing.assert_allclose(got, moved(formula, values, direction), rtol=1e-7, atol=1e-9)


@EVERY
def test_the_jacobian_is_the_slope_by_each_entry(formula: Formula) -> None:
    values = given()
    found = derivative(formula, "h", (Size.of(4),), (Position("e"),))
    assert apart(found)
    got = value(found, values, ("i", "d", "e"))
    wanted = np.stack([moved(formula, values, one) for one in np.eye(4)], axis=-1)
    np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-9)


@EVERY
def test_what_is_pulled_back_is_the_transpose_of_the_jacobian(formula: Formula) -> None:
    values = {**given(), "y": Named(("i", "d"), RANDOM.standard_normal((3, 4)))}
    back = pulled_back(formula, "h", (Size.of(4),), (Position("e"),), read("y", "i", "d"), (I, D))
    assert apart(back)
    assert back.free <= {"e"}
    jacobian = value(derivative(formula, "h", (Size.of(4),), (Position("e"),)), values, ("i", "d", "e"))
    np.testing.assert_allclose(
        value(back, values, ("e",)), np.einsum("id,ide->e", values["y"].array, jacobian), rtol=1e-9, atol=1e-12
    )


AFFINE = {"own entry", "dense", "some", "reversed", "window", "stride", "pointer", "constant", "another's beyond"}


@pytest.mark.parametrize("name", UNDER)
def test_affine_is_what_is_the_offset_and_the_tangent(name: str) -> None:
    formula = UNDER[name]
    assert affine_in(formula, ("h",)) == (name in AFFINE)
    if name in AFFINE:
        values = given()
        whole = value(formula, values, ("i", "d"))
        parts = Apply("add", (at_zero(formula, ("h",)), tangent(formula, {"h": "h"})))
        np.testing.assert_allclose(value(parts, values, ("i", "d")), whole, rtol=1e-12, atol=1e-14)


def test_affine_with_an_offset_gives_coefficient_and_offset() -> None:
    formula = call("add", call("mul", call("sigmoid", A), H), call("div", call("sub", H, A), S), call("exp", A))
    assert affine_in(formula, ("h",))
    slope = derivative(formula, "h", (D.size,), (Position("d"),))
    assert slope == call("add", call("sigmoid", A), call("div", 1.0, S))
    assert at_zero(formula, ("h",)) == call("sub", call("exp", A), call("div", A, S))


def test_not_affine_where_a_value_jumps_or_decides() -> None:
    for formula in (
        call("mod", H, 2.0),
        call("add", H, call("floor", H)),
        call("where", call("gt", H, 0.0), 1.0, 2.0),
        call("maximum", H, 0.0),
        total(J, read("a", "j"), call("gt", read("h", "j"), 0.0)),
        call("mul", H, H),
        call("div", A, H),
        call("abs", H),
    ):
        assert not affine_in(formula, ("h",))


def test_which_axes_mix() -> None:
    block = total(K, call("mul", read("m", "i", "k"), read("g", "k", "d")))
    assert mixed(block, "g", ("i", "d")) == {"i"}
    assert mixed(UNDER["own entry"], "h", ("d",)) == frozenset()
    assert mixed(UNDER["softmax"], "h", ("d",)) == {"d"}
    assert mixed(total(D, read("h", "d")), "h", ("d",)) == {"d"}, "a bound axis is not its own position"
    assert mixed(UNDER["rounded"], "h", ("d",)) == frozenset()
    matrix = derivative(block, "g", (K.size, D.size), (Position("q"), Position("d")))
    assert matrix == read("m", "i", "q")


def test_a_dense_step_gives_its_matrix_and_a_convolution_its_transpose() -> None:
    assert derivative(UNDER["dense"], "h", (D.size,), (Position("e"),)) == read("w", "i", "e")
    back = pulled_back(UNDER["dense"], "h", (D.size,), (Position("e"),), read("y", "i"), (I,))
    assert back == total(I, call("mul", read("y", "i"), read("w", "i", "e")))
    window = pulled_back(UNDER["window"], "h", (D.size,), (Position("e"),), read("y", "d"), (D,))
    assert isinstance(window, Reduce)
    assert window.axes == (T,), "the position along d is the difference of the others"


def test_a_product_of_two_is_not_linear() -> None:
    with pytest.raises(NotLinearError):
        terms(call("mul", H, H), ("h",))
    with pytest.raises(NotLinearError):
        terms(call("exp", H), ("h",))


@pytest.mark.parametrize("kind", [reduction.word for reduction in REDUCTIONS if reduction.result != "bool"])
@pytest.mark.parametrize("condition", [None, call("lt", Position("j"), 3)])
def test_every_reduction_has_its_tangent(kind: str, condition: Formula | None) -> None:
    formula = total(J, call("mul", read("w", "i", "j"), call("sin", read("h", "j"))), condition, kind)
    values = given()
    direction = RANDOM.standard_normal(4)
    got = value(tangent(formula, {"h": "dh"}), {**values, "dh": Named(("d",), direction)}, ("i", "d"))
    assert np.abs(got).max() > 0
    np.testing.assert_allclose(got, moved(formula, values, direction), rtol=1e-7, atol=1e-9)
