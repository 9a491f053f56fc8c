"""Affine indices and products of factors."""

from __future__ import annotations

from archc.formula.normal import affine, product, products, size_of
from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, SizeValue
from archc.types.size import Size
from archc.types.tensor_type import Axis

N = Size.symbol("n")
J = Axis("j", N)


def call(word: str, *operands: Formula | float) -> Apply:
    return Apply(word, tuple(one if isinstance(one, Formula) else Literal(one) for one in operands))


def read(name: str, *axes: str) -> Read:
    return Read(name, tuple(map(Position, axes)))


def test_an_affine_index_collects_its_factors() -> None:
    found = affine(call("sub", call("add", call("mul", 2, Position("h")), Position("t"), Position("h")), SizeValue(N)))
    assert found is not None
    assert found.factors == {"h": Size.of(3), "t": Size.of(1)}
    assert found.offset == -N


def test_positions_that_cancel_leave_a_size() -> None:
    found = call("sub", call("add", Position("h"), SizeValue(N), 1), Position("h"))
    assert size_of(found) == N + 1
    assert size_of(call("floordiv", SizeValue(2 * N), 2)) == N


def test_what_is_not_affine() -> None:
    assert affine(call("mul", Position("h"), Position("t"))) is None
    assert affine(call("mod", Position("h"), 3)) is None
    assert affine(read("p", "e")) is None
    assert affine(Literal(0.5)) is None
    assert affine(Literal(True)) is None


def test_a_product_is_flattened_with_the_sums_inside_it() -> None:
    inner = Reduce("sum", (J,), call("mul", read("c", "j"), read("b", "j")))
    found = product(call("div", call("mul", 2.0, call("neg", read("a", "i")), inner), call("mul", read("d", "i"), 4)))
    assert [(one.formula, one.inverse) for one in found.factors] == [
        (read("a", "i"), False),
        (read("c", "j"), False),
        (read("b", "j"), False),
        (read("d", "i"), True),
    ]
    assert [(one.formula, one.inverse) for one in found.scalars] == [(Literal(2.0), False), (Literal(4), True)]
    assert found.axes == (J,)
    assert found.negative


def test_a_sum_that_occurs_twice_is_merged_once() -> None:
    inner = Reduce("sum", (J,), call("mul", read("c", "j"), read("b", "j")))
    found = product(call("mul", inner, inner))
    assert found.axes == (J,)
    assert inner in [one.formula for one in found.factors]


def test_addends_carry_their_signs() -> None:
    found = products(call("sub", call("add", read("a"), call("neg", read("b"))), call("sub", read("c"), read("d"))))
    assert [(part.negative, part.factors[0].formula.reads[0]) for part in found] == [
        (False, "a"),
        (True, "b"),
        (True, "c"),
        (False, "d"),
    ]


def test_branches_of_a_choice_carry_their_conditions() -> None:
    held = call("gt", read("x", "j"), 0)
    first, other = products(call("where", held, call("mul", read("a", "j"), 3), call("neg", read("b", "j"))))
    assert first.conditions == (held,)
    assert first.scalars[0].formula == Literal(3)
    assert other.conditions == (call("not", held),)
    assert other.negative
    (only,) = products(call("where", held, 0.0, read("b", "j")))
    assert only.conditions == (call("not", held),)


def test_an_affine_index_is_written_out_as_it_is() -> None:
    for formula in (
        Literal(0),
        Literal(-2),
        SizeValue(N),
        Position("h"),
        call("sub", Position("h"), 1),
        call("sub", call("mul", 2, Position("h")), call("add", Position("t"), SizeValue(N))),
        call("mul", SizeValue(N), Position("h")),
    ):
        found = affine(formula)
        assert found is not None
        written = found.formula
        assert affine(written) == found
        assert not isinstance(written, Literal) or isinstance(written.value, int)
    assert written == call("mul", SizeValue(N), Position("h"))
