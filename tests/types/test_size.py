"""Sizes: the normal form against plain integers, the notations against each other, and the limits."""

from __future__ import annotations

import ast
import operator
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.types.size import Size, SizeError, SizeOverflow

NAMES = ("a", "b", "c", "d")
a, b, c, d, h, w, level = map(Size.symbol, (*NAMES, "h", "w", "level"))
Value = Callable[[dict[str, int]], int]


def combined(symbol: str, left: tuple[Size, Value], right: tuple[Size, Value]) -> tuple[Size, Value]:
    """A size and, beside it, the same computation on plain integers."""
    (size, value), (other, by) = left, right
    match symbol:
        case "+":
            return size + other, lambda env: value(env) + by(env)
        case "-":
            return size - other, lambda env: value(env) - by(env)
        case "*":
            return size * other, lambda env: value(env) * by(env)
        case "//":
            return (size // other, lambda env: value(env) // by(env)) if other.terms else left
        case "%":
            return (size % other, lambda env: value(env) % by(env)) if other.terms else left
        case "min":
            return Size.minimum(size, other), lambda env: min(value(env), by(env))
        case "max":
            return Size.maximum(size, other), lambda env: max(value(env), by(env))
    raise AssertionError(symbol)


def leaf(name: str) -> tuple[Size, Value]:
    return Size.symbol(name), lambda env: env[name]


def number(value: int) -> tuple[Size, Value]:
    return Size.of(value), lambda env: value


def power(base: int, name: str) -> tuple[Size, Value]:
    def value(env: dict[str, int]) -> int:
        if env[name] < 0:
            raise ZeroDivisionError
        return int(base ** env[name])

    return base ** Size.symbol(name), value


@st.composite
def sizes(draw: st.DrawFn, depth: int = 4) -> tuple[Size, Value]:
    if depth == 0 or draw(st.booleans()):
        return draw(
            st.one_of(
                st.sampled_from(NAMES).map(leaf),
                st.integers(-4, 12).map(number),
                st.builds(power, st.sampled_from((2, 3, 4)), st.sampled_from(NAMES)),
            )
        )
    symbol = draw(st.sampled_from(("+", "-", "*", "//", "%", "+", "*", "//", "%", "min", "max")))
    left, right = draw(sizes(depth=depth - 1)), draw(sizes(depth=depth - 1))
    try:
        return combined(symbol, left, right)
    except SizeOverflow:
        return left


environments = st.fixed_dictionaries({name: st.integers(1, 6) for name in NAMES})
wild = st.fixed_dictionaries({name: st.integers(-5, 9) for name in NAMES})


@settings(max_examples=120, deadline=None)
@given(sizes(), wild)
def test_the_normal_form_has_the_value_of_what_was_written(made: tuple[Size, Value], env: dict[str, int]) -> None:
    size, value = made
    try:
        expected = value(env)
        found = size.evaluate(env)
    except (ZeroDivisionError, SizeError):
        return
    assert found == expected


@settings(max_examples=50, deadline=None)
@given(sizes(), environments)
def test_both_notations_read_back(made: tuple[Size, Value], env: dict[str, int]) -> None:
    size, _ = made
    try:
        expected = size.evaluate(env)
    except SizeError:
        return
    python = size.python(lambda name: f"self.{name}")
    shown = str(size)
    assert value_of(python, env) == expected
    assert value_of(shown.replace("^", "**"), env) == expected
    assert read(shown) == size


def read(text: str) -> Size:
    """The size that a text in the language of the specifications stands for."""
    body = ast.parse(text.replace("^", "**"), mode="eval").body
    found = read_node(body, Size.symbol, {"min": Size.minimum, "max": Size.maximum, "log2": lambda size: size.log2})
    return found if isinstance(found, Size) else Size.of(found)


def value_of(text: str, env: dict[str, int]) -> int:
    """The integer that Python gives to a text."""
    found = read_node(ast.parse(text, mode="eval").body, env.__getitem__, {"min": min, "max": max})
    assert isinstance(found, int)
    return found


def read_node(node: ast.expr, symbol: Callable[[str], Any], functions: dict[str, Callable[..., Any]]) -> Any:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -read_node(operand, symbol, functions)
        case ast.Call(func=ast.Name(id=name), args=args):
            return functions[name](*(read_node(arg, symbol, functions) for arg in args))
        case ast.BinOp(left=left, op=op, right=right):
            return BINARY[type(op)](read_node(left, symbol, functions), read_node(right, symbol, functions))
    raise AssertionError(ast.dump(node))


BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


@settings(max_examples=50, deadline=None)
@given(sizes(), sizes(), sizes(), environments)
def test_substitution_is_composition(
    outer: tuple[Size, Value], first: tuple[Size, Value], second: tuple[Size, Value], env: dict[str, int]
) -> None:
    try:
        inner = {"a": first[0].evaluate(env), "b": second[0].evaluate(env)}
        expected = outer[0].evaluate(env | inner)
        found = outer[0].substitute({"a": first[0], "b": second[0]}).evaluate(env)
    except SizeError:
        return
    assert found == expected


@settings(max_examples=40, deadline=None)
@given(sizes(3), sizes(3), sizes(3))
def test_the_laws_of_rings_hold_as_equality(
    one: tuple[Size, Value], two: tuple[Size, Value], three: tuple[Size, Value]
) -> None:
    p, q, r = one[0], two[0], three[0]
    try:
        assert p + q == q + p
        assert p * q == q * p
        assert (p + q) + r == p + (q + r)
        assert (p * q) * r == p * (q * r)
        assert p * (q + r) == p * q + p * r
        assert not (p - p).terms
        assert hash(p + q) == hash(q + p)
    except SizeOverflow:
        return


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (2 * d, "2*d"),
        (d * 2 + 1, "2*d + 1"),
        ((2 * d) // 2, "d"),
        ((2 * d + 4) // 2, "d + 2"),
        ((2 * d + 3) // 2, "d + 1"),
        ((2 * d + 3) % 2, "1"),
        ((a * b) // b, "a"),
        ((a * b + c) // b, "a + c // b"),
        ((a + 1) * b // (a + 1), "b"),
        (h % 1, "0"),
        (h // 1, "h"),
        (Size.minimum(a, a), "a"),
        (Size.minimum(a, a + 1), "a"),
        (Size.maximum(a, a + 1), "a + 1"),
        (Size.maximum(Size.minimum(a, b), c), "max(c, min(a, b))"),
        (Size.minimum(Size.minimum(a, b), c), "min(min(a, b), c)"),
        (h // 2 // 2, "h // 4"),
        (h // w // 2, "h // (2*w)"),
        ((h // 2 + 1) // 2, "(h + 2) // 4"),
        ((h - 1) // 2 + 1, "(h + 1) // 2"),
        ((h - a) // w + 1, "(h - a) // w + 1"),
        (8 * d // 3, "8*d // 3"),
        (-(-h // 2), "h - h // 2"),
        (-(h // 2), "-(h // 2)"),
        (-h // w, "-h // w"),
        (h // (w // 2), "h // (w // 2)"),
        (h % 4 % 2, "h % 2"),
        (h % 4 // 4, "0"),
        (h % w // w, "0"),
        ((a * b) % (a * c), "a*(b % c)"),
        (2**level, "2^level"),
        (2 ** (level + 1), "2*2^level"),
        (2 * 2 ** (level - 1), "2^level"),
        (2 ** (level - 1) + 2 ** (level - 1), "2^level"),
        (4**level, "2^(2*level)"),
        (2**level * 2**d // 2**d, "2^(level + d) // 2^d"),
        (h // 2**level, "h // 2^level"),
        (1 - d, "1 - d"),
        (b - a, "b - a"),
        (h * h * w, "h^2*w"),
        ((h // 2) ** 2, "(h // 2)^2"),
        (h * (h // 2).log2, "h*log2(h // 2)"),
        (Size.of(1024).log2 + Size.of(1025).log2, "21"),
        (a - a, "0"),
    ],
)
def test_simplifies_and_prints(size: Size, text: str) -> None:
    assert str(size).replace("d + level", "level + d") == text
    assert read(str(size)) == size


def test_python_has_no_more_parentheses_than_needed() -> None:
    size = (h - 2) // w * 2 + Size.minimum(a, b) * 2**level + h // w
    assert size.python(lambda name: f"self.{name}") == (
        "2**self.level * min(self.a, self.b) + 2 * ((self.h - 2) // self.w) + self.h // self.w"
    )


def test_equality_with_integers_and_pickling() -> None:
    assert Size.of(3) == 3
    assert hash(Size.of(3)) == hash(3)
    assert a != 3
    assert {a * b: 1}[b * a] == 1
    copied = pickle.loads(pickle.dumps((h - 1) // 2 + 2**level))  # noqa: S301
    assert copied == (h - 1) // 2 + 2**level


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: a // 0,
        lambda: a % 0,
        lambda: Size.of(3) // 0,
        lambda: a ** Size.of(-1),
        lambda: a**b,
        lambda: (-2) ** b,
        lambda: (a // b).evaluate({"a": 1, "b": 0}),
        lambda: (2 ** (a - 3)).evaluate({"a": 1}),
        lambda: a.evaluate({}),
        lambda: (h // a).substitute({"a": 0}),
    ],
)
def test_what_has_no_value_is_refused(attempt: Callable[[], object]) -> None:
    with pytest.raises(SizeError):
        attempt()


def squared(size: Size, times: int) -> Size:
    for _ in range(times):
        size = size * size
    return size


def doubled_by_quotients(times: int) -> Size:
    size = a
    for _ in range(times):
        size = (size // 3) * ((size + b) // 5)
    return size


def nested(times: int) -> Size:
    size = a
    for _ in range(times):
        size = (3 * size + b) // 7 % 5 + size // 11
    return size


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: squared(Size.of(3), 22),
        lambda: squared(a, 22),
        lambda: squared(a + 1, 22),
        lambda: squared(sum((Size.symbol(f"s{at}") for at in range(30)), start=Size.of(1)), 3),
        lambda: sum((Size.symbol(f"s{at}") for at in range(300)), start=Size.of(1)),
        lambda: Size.of(2) ** Size.of(10**8),
        lambda: Size.of(2) ** 10**15,
        lambda: (2**a).evaluate({"a": 10**9}),
        lambda: (a + 1) ** 9,
        lambda: (a + 1) ** (10**12),
        lambda: Size.of(2**53),
        lambda: Size.of(2**52) * a * 4,
        lambda: doubled_by_quotients(40),
        lambda: nested(200),
    ],
)
def test_what_is_too_large_is_refused_at_once(attempt: Callable[[], object]) -> None:
    began = time.perf_counter()
    with pytest.raises(SizeOverflow):
        attempt()
    assert time.perf_counter() - began < 2


def test_large_powers_of_units_are_no_overflow() -> None:
    assert Size.of(1) ** 10**15 == 1
    assert Size.of(-1) ** (10**15 + 1) == -1
    assert Size.of(0) ** 10**15 == 0
    assert Size.of(0) ** 0 == 1
    assert (2**a) ** 20 == 2 ** (20 * a)


@pytest.mark.parametrize("value", [*range(-2, 18), 2**40, 2**40 + 1])
def test_log2_counts_doublings(value: int) -> None:
    count = a.log2.evaluate({"a": value})
    assert 2**count >= value
    assert count == 0 or 2 ** (count - 1) < value
    assert a.log2.substitute({"a": value}) == count
    assert a.log2.python(str) == "(max(a, 1) - 1).bit_length()"
