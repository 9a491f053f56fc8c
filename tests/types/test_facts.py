"""Proofs about sizes: the listed ones are found, and none contradicts a search over small values."""

from __future__ import annotations

import time
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.types.size import Condition, Facts, Size, SizeError

NAMES = ("a", "b", "c")
a, b, c, d, e, f, h, w, x, p, q, level, depth, heads, modes = map(
    Size.symbol, ("a", "b", "c", "d", "e", "f", "h", "w", "x", "p", "q", "level", "depth", "heads", "modes")
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def holds(left: Size | int, operator: str, right: Size | int) -> Condition:
    return Condition(operator, left + Size.of(0), right + Size.of(0))


def known(*conditions: Condition, **at_least: int) -> Facts:
    return Facts(conditions, at_least)


DIVISIBLE = known(holds(d % heads, "==", 0))
EIGHTH = known(holds(h % 8, "==", 0))
PYRAMID = known(holds(h % 2**depth, "==", 0), holds(level, "<", depth), level=0, depth=0)
WIDE = known(holds(x, ">=", 2 * modes))


@pytest.mark.parametrize(
    ("facts", "condition"),
    [
        (known(), holds(2 * ((h - 2) // 2) + 1, "<=", h - 1)),
        (known(), holds(p % q, ">=", 0)),
        (known(), holds(p % q, "<=", q - 1)),
        (known(), holds((h + a - 1) % h, "<", h)),
        (known(), holds(h // f * f, "<=", h)),
        (known(), holds(h // f * f, ">", h - f)),
        (known(), holds(q * (p // q) + p % q, "==", p)),
        (known(), holds(a * b + 1, ">", a)),
        (known(), holds(a * b, ">=", b)),
        (known(), holds((h - 1) // w + 1, ">=", 1)),
        (known(), holds(w * ((h - 1) // w + 1), ">=", h)),
        (known(), holds(2**level, ">=", 1)),
        (known(), holds(2**level, ">", level)),
        (known(), holds(Size.minimum(a, b), "<=", a)),
        (known(), holds(Size.minimum(a, b), "<=", Size.maximum(a, b))),
        (known(), holds(Size.minimum(a, b) + Size.maximum(a, b), "==", a + b)),
        (known(), holds(Size.maximum(a - 5, 0), ">=", 0)),
        (known(), holds(Size.minimum(a + 1, b + 1), "==", Size.minimum(a, b) + 1)),
        (known(), holds(Size.minimum(a, b) // 2, "<=", a // 2)),
        (known(), holds((4 * a * b) % b, "==", 0)),
        (known(), holds((a * b + 3 * b) % b, "==", 0)),
        (known(), holds(a, "!=", 0)),
        (known(), holds(2 * a, "!=", 2 * b + 1)),
        (known(holds(a, "!=", b)), holds(b, "!=", a)),
        (known(holds(a, "==", 3 * b)), holds(a // b, "==", 3)),
        (known(holds(a + b, "==", 10)), holds(b, "==", 10 - a)),
        (known(holds(a + b, "==", 10)), holds(b, "<=", 9)),
        (known(holds(h + 2 * p, ">=", f)), holds((h + 2 * p - f) // w + 1, ">=", 1)),
        (known(holds(h + 2 * p, ">=", f)), holds(w * ((h + 2 * p - f) // w) + f, "<=", h + 2 * p)),
        (known(holds(a, "<=", b), holds(b, "<=", c), holds(c, "<=", d)), holds(a, "<=", d)),
        (known(holds(a, "<", b), holds(b, "<", a + 2)), holds(b, "==", a + 1)),
        (known(holds((a + 2) % 4, "==", 0)), holds(a % 2, "==", 0)),
        (known(holds(h % 2, "==", 0), holds((h // 2) % 2, "==", 0)), holds(h % 4, "==", 0)),
        (known(holds(h % 3, "==", 0), holds(h % 8, "==", 0)), holds(h % 12, "==", 0)),
        (known(holds(h % 4, "==", 3)), holds(h % 2, "==", 1)),
        (known(holds((a * b) % c, "==", 0)), holds(c * (a * b // c), "==", a * b)),
        (known(holds((d // 2) % heads, "==", 0)), holds((d // 2) // heads * heads, "==", d // 2)),
        (DIVISIBLE, holds(heads * (d // heads), "==", d)),
        (DIVISIBLE, holds(d // heads, ">=", 1)),
        (DIVISIBLE, holds((3 * d) % heads, "==", 0)),
        (EIGHTH, holds(h % 4, "==", 0)),
        (EIGHTH, holds(h % 2 ** Size.of(3), "==", 0)),
        (EIGHTH, holds((h // 2) % 4, "==", 0)),
        (EIGHTH, holds(2 * (h // 2), "==", h)),
        (EIGHTH, holds(h, ">=", 8)),
        (PYRAMID, holds(h % 2**level, "==", 0)),
        (PYRAMID, holds((h // 2**level) % 2, "==", 0)),
        (PYRAMID, holds(2**level * (h // 2**level), "==", h)),
        (WIDE, holds(x, ">=", modes)),
        (WIDE, holds(x - modes, ">", 0)),
        (WIDE, holds(modes, "<=", x // 2)),
        (WIDE, holds(x - modes, ">=", modes)),
    ],
    ids=str,
)
def test_proves_and_refutes_the_opposite(facts: Facts, condition: Condition) -> None:
    assert facts.prove(condition) is True
    assert facts.prove(condition.negated) is False


@pytest.mark.parametrize(
    ("facts", "condition"),
    [
        (known(), holds(a, "==", b)),
        (known(), holds(a, ">", 1)),
        (known(), holds(d % heads, "==", 0)),
        (known(a=0), holds(a, ">=", 1)),
        (EIGHTH, holds(h % 16, "==", 0)),
        (WIDE, holds(x, ">=", 3 * modes)),
        (PYRAMID, holds(h % (2 * 2**depth), "==", 0)),
    ],
    ids=str,
)
def test_leaves_open_what_is_open(facts: Facts, condition: Condition) -> None:
    assert facts.prove(condition) is None
    assert facts.prove(condition.negated) is None


@pytest.mark.parametrize(
    ("facts", "size", "text"),
    [
        (DIVISIBLE, heads * (d // heads), "d"),
        (DIVISIBLE, w * heads * (d // heads) + 1, "d*w + 1"),
        (DIVISIBLE, d // heads, "d // heads"),
        (DIVISIBLE, d % heads, "0"),
        (DIVISIBLE, heads**2 * (d // heads) ** 2, "d^2"),
        (EIGHTH, 4 * (h // 4), "h"),
        (EIGHTH, h // 2, "h // 2"),
        (EIGHTH, h // 3, "h // 3"),
        (known(holds(a, "==", b * c)), a // b, "c"),
        (known(holds((a * b) % c, "==", 0)), c * d * (a * b // c), "a*b*d"),
        (known(), (h - 1) // 2, "(h + 1) // 2 - 1"),
    ],
)
def test_normal_form_under_facts(facts: Facts, size: Size, text: str) -> None:
    assert str(facts.normal(size)) == text


def test_bounds() -> None:
    facts = known(holds(a, "<=", 7), holds(x, ">=", 2 * modes), b=3)
    assert facts.lower(a) == 1
    assert facts.upper(a) == 7
    assert facts.lower(x) == 2
    assert facts.lower(x - modes) == 1
    assert facts.lower(a * b) == 3
    assert facts.upper(h % 7) == 6
    assert facts.lower((h - 1) // 2 + 1) == 1
    assert facts.upper(h) is None
    assert facts.lower(-h) is None
    assert facts.extended([holds(h, "<=", a)]).upper(h) == 7
    assert EIGHTH.lower(h) == 8


def polynomials(draw: st.DrawFn, depth: int) -> Size:
    if depth == 0 or draw(st.booleans()):
        return draw(st.one_of(st.sampled_from(NAMES).map(Size.symbol), st.integers(-2, 6).map(Size.of)))
    left, right = polynomials(draw, depth - 1), polynomials(draw, depth - 1)
    match draw(st.sampled_from(("+", "-", "*", "//", "%", "min", "max", "^"))):
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//" if right.terms:
            return left // right
        case "%" if right.terms:
            return left % right
        case "min":
            return Size.minimum(left, right)
        case "max":
            return Size.maximum(left, right)
        case "^":
            return 2 ** draw(st.sampled_from(NAMES).map(Size.symbol))
    return left


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    return Condition(draw(st.sampled_from(COMPARISONS)), polynomials(draw, 3), polynomials(draw, 1))


@st.composite
def assumptions(draw: st.DrawFn) -> Condition:
    """Conditions of the kinds authors write: equations, divisibilities and bounds."""
    left, right = polynomials(draw, 2), polynomials(draw, 1)
    divisor = draw(st.one_of(st.sampled_from(NAMES).map(Size.symbol), st.integers(1, 4).map(Size.of)))
    return draw(
        st.sampled_from(
            (
                Condition("==", left % divisor, Size.of(0)),
                Condition("==", left % divisor, Size.of(1)),
                Condition("==", left, right),
                Condition(">=", left, right),
                Condition("!=", left, right),
            )
        )
    )


GRID = [dict(zip(NAMES, values, strict=True)) for values in product(range(7), repeat=len(NAMES))]


def admissible(env: dict[str, int], facts: Facts) -> bool:
    try:
        return all(env[name] >= facts.at_least.get(name, 1) for name in NAMES) and all(
            condition.evaluate(env) for condition in facts.conditions
        )
    except SizeError:
        return False


@settings(max_examples=30, deadline=None)
@given(
    st.lists(assumptions(), max_size=3),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2)),
    st.lists(conditions(), min_size=1, max_size=4),
)
def test_no_proof_contradicts_small_values(
    assumed: list[Condition], at_least: dict[str, int], asked: list[Condition]
) -> None:
    facts = Facts(assumed, at_least)
    grid = [env for env in GRID if admissible(env, facts)]
    for condition in asked:
        answer, normal = facts.prove(condition), facts.normal(condition.left)
        low, high = facts.lower(condition.left), facts.upper(condition.left)
        for env in grid:
            try:
                truth, value = condition.evaluate(env), condition.left.evaluate(env)
            except SizeError:
                continue
            assert answer is None or answer == truth, (env, str(condition))
            assert low is None or low <= value
            assert high is None or value <= high
            assert normal.evaluate(env) == value, (env, str(normal))


def test_hostile_questions_end() -> None:
    names = [Size.symbol(f"s{at}") for at in range(60)]
    chain = [holds(first, "<=", second) for first, second in pairwise(names)]
    tangle = [holds(names[i] * names[j], "<=", names[(i * 7 + j) % 60]) for i in range(12) for j in range(12)]
    extremes = sum((Size.minimum(first, second) for first, second in pairwise(names)), Size.of(0))
    began = time.perf_counter()
    facts = Facts([*chain, *tangle])
    assert facts.prove(holds(names[0], ">", names[59])) is not True
    assert facts.prove(holds(extremes, ">=", sum(names[:40], Size.of(0)))) is not True
    assert facts.prove(holds(names[0] * names[1] * names[2] * names[3], "<=", names[5] * names[6])) is not True
    facts.upper(sum(names, Size.of(0)))
    assert time.perf_counter() - began < 4
