"""Formulas that simplify as they are written."""

from __future__ import annotations

from archc.formula.algebra import ONE, ZERO, applied, difference, negative, power, quotient, times, total, where
from archc.formula.tree import Apply, Formula, Literal, Read

A, B, C = (Read(name, ()) for name in "abc")


def call(word: str, *operands: Formula | float) -> Apply:
    return Apply(word, tuple(one if isinstance(one, Formula) else Literal(one) for one in operands))


def test_sums() -> None:
    assert total() == ZERO
    assert total(A, ZERO) == A
    assert total(A, Literal(1), B, Literal(2)) == call("add", A, B, 3)
    assert total(negative(A), ONE) == call("sub", 1, A)
    assert total(total(A, B), C) == call("add", A, B, C)
    assert difference(A, ZERO) == A
    assert difference(A, call("sub", B, C)) == call("add", A, call("sub", C, B))


def test_products() -> None:
    assert times(A, ONE, B) == call("mul", A, B)
    assert times(A, ZERO) == ZERO
    assert times(Literal(2), A, Literal(-3)) == call("neg", call("mul", 6, A))
    assert times(negative(A), negative(B)) == call("mul", A, B)
    assert times(quotient(ONE, A), B) == call("div", B, A)
    assert times() == ONE


def test_quotients_and_powers() -> None:
    assert quotient(ZERO, A) == ZERO
    assert quotient(A, ONE) == A
    assert quotient(negative(A), B) == call("neg", call("div", A, B))
    assert power(A, ZERO) == ONE
    assert power(A, Literal(1)) == A
    assert applied("pow", A, Literal(3)) == call("pow", A, 3)


def test_choices() -> None:
    condition = call("gt", A, 0)
    step = where(condition, ONE, ZERO)
    assert times(step, B) == call("where", condition, B, 0.0)
    assert total(times(step, B), times(where(condition, ZERO, ONE), C)) == call("where", condition, B, C)
    assert where(condition, A, A) == A
