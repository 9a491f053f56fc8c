"""Brackets stand where Python needs them, and only there."""

from __future__ import annotations

import ast
import math

import pytest

from archc.ops.expression import (
    COMPARISON,
    PRIMARY,
    PRODUCT,
    SUM,
    UNARY,
    bracket,
    dimensions,
    infix,
    is_number,
    number,
    precedence,
)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("x", PRIMARY),
        ("self.W1", PRIMARY),
        ("F.relu(x)", PRIMARY),
        ("x[:, 0]", PRIMARY),
        ("64", PRIMARY),
        ("0.5", PRIMARY),
        ("-x", UNARY),
        ("~x", UNARY),
        ("a @ b", PRODUCT),
        ("a * b / c", PRODUCT),
        ("a + b * c", SUM),
        ("(a + b) * c", PRODUCT),
        ("(a + b)", SUM),
        ("a <= b", COMPARISON),
    ],
)
def test_precedence(text: str, level: int) -> None:
    assert precedence(text) == level


def test_precedence_follows_python() -> None:
    order = ["a if b else c", "a or b", "a and b", "not a", "a < b", "a | b", "a ^ b", "a & b", "a << b", "a + b"]
    order += ["a * b", "-a", "a ** b", "a.b"]
    levels = [precedence(text) for text in order]
    assert levels == sorted(set(levels))


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "&", "|", "<", "==", "@"])
@pytest.mark.parametrize("left", ["a", "-a", "a + b", "a * b", "a < b", "a & b", "a ** b"])
@pytest.mark.parametrize("right", ["c", "-c", "c - d", "c / d", "c == d", "c | d"])
def test_infix_keeps_the_tree(operator: str, left: str, right: str) -> None:
    def tree(text: str) -> str:
        return ast.dump(ast.parse(text, mode="eval"))

    assert tree(infix(operator, (left, right))) == tree(f"({left}) {operator} ({right})")


def test_infix_brackets_only_what_needs_it() -> None:
    assert infix("+", ("a + b", "c", "d")) == "a + b + c + d"
    assert infix("-", ("a - b", "c - d")) == "a - b - (c - d)"
    assert infix("*", ("a + b", "c @ d")) == "(a + b) * (c @ d)"
    assert infix("<", ("a < b", "c + d")) == "(a < b) < c + d"
    assert bracket("a + b", SUM) == "a + b"
    assert bracket("a + b") == "(a + b)"


def test_numbers_are_literals() -> None:
    assert number(0.1) == "0.1"
    assert number(-2.0) == "-2.0"
    for value in (math.inf, -math.inf):
        assert eval_number(number(value)) == value
    assert is_number("-1e-05")
    assert not is_number("x")


def eval_number(text: str) -> float:
    """`float("-inf")` read back without running it."""
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    return float(ast.literal_eval(call.args[0]))


def test_dimensions() -> None:
    assert dimensions((-1,)) == "-1"
    assert dimensions((-1, -3)) == "(-3, -1)"
