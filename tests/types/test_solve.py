"""Unknown sizes: what is found, what is refuted, what stays open."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from archc.types.size import Condition, Facts, Size
from archc.types.solve import Solver

d, h, w, heads = map(Size.symbol, ("d", "h", "w", "heads"))


def solver() -> Solver:
    return Solver(Facts([Condition("==", d % heads, Size.of(0))]))


def test_a_lone_unknown_is_known_at_once() -> None:
    sizes = solver()
    k = sizes.unknown("k")
    assert str(k).startswith("?k")
    assert sizes.resolve(2 * k) == 2 * k
    sizes.equate(3 * k + 6, 3 * d, "here")
    assert sizes.resolve(2 * k + 1) == 2 * d - 3
    solution = sizes.solve()
    assert solution.values == {str(k): d - 2}
    assert not solution.refuted + solution.unproved
    assert not solution.undetermined


def test_a_proved_division_gives_the_value() -> None:
    sizes = solver()
    k, other = sizes.unknown("k"), sizes.unknown("other")
    sizes.equate(heads * k, d, "split")
    sizes.equate(w * other, h, "not known to divide")
    solution = sizes.solve()
    assert solution.values == {str(k): d // heads}
    assert solution.undetermined == [str(other)]


def test_later_equations_help_earlier_ones() -> None:
    sizes = solver()
    i, j, k = (sizes.unknown(name) for name in "ijk")
    sizes.equate(2 * k + j, 6 * w + 2, "first")
    sizes.equate(i, k * j, "product")
    sizes.equate(k, j + 1, "second")
    sizes.equate(j, 2 * w, "third")
    assert sizes.resolve(i) == (2 * w + 1) * 2 * w
    solution = sizes.solve()
    assert solution.values == {str(i): 4 * w * w + 2 * w, str(j): 2 * w, str(k): 2 * w + 1}
    assert not solution.refuted + solution.unproved


def test_what_fails_is_reported_once_with_its_origin() -> None:
    sizes = solver()
    k, half, small = sizes.unknown("k"), sizes.unknown("half"), sizes.unknown("small")
    sizes.equate(k, Size.of(64), "first")
    sizes.equate(k, Size.of(32), "second")
    sizes.equate(2 * half, Size.of(5), "odd")
    sizes.equate(small + 3, Size.of(1), "negative")
    sizes.equate(h, w, "rigid")
    sizes.require(Condition(">=", k, Size.of(65)), "bound")
    sizes.require(Condition("<=", w // 2, w), "true")
    solution = sizes.solve()
    assert [(found.origin, str(found)) for found in solution.refuted] == [
        ("second", "64 == 32"),
        ("odd", "2*?half.1 == 5"),
        ("bound", "64 >= 65"),
        ("negative", "-2 >= 1"),
    ]
    assert [(found.origin, str(found)) for found in solution.unproved] == [("rigid", "h == w")]
    assert solution.undetermined == [str(half)]


def test_a_size_may_be_zero_where_it_is_said() -> None:
    sizes = solver()
    sizes.equate(sizes.unknown("k", at_least=0) + d, d, "none")
    assert not sizes.solve().refuted


def test_values_that_are_too_large_are_reported_not_raised() -> None:
    sizes = solver()
    last = sizes.unknown("u")
    sizes.equate(last, d + 1, "start")
    for at in range(10):
        following = sizes.unknown("u")
        sizes.equate(following, last * last, at)
        last = following
    solution = sizes.solve()
    assert solution.unproved
    assert solution.undetermined


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_finds_the_hidden_values(data: st.DataObject) -> None:
    """Equations true of hidden constants are never refuted, and every value found is the hidden one."""
    sizes = Solver(Facts())
    count = data.draw(st.integers(1, 5))
    hidden = {str(sizes.unknown("x")): data.draw(st.integers(1, 9)) for _ in range(count)}
    names = st.sampled_from(sorted(hidden))
    for at in range(data.draw(st.integers(1, 8))):
        terms = data.draw(st.lists(st.tuples(names, st.integers(-3, 3)), min_size=1, max_size=3))
        left = sum((Size.symbol(name) * factor for name, factor in terms), Size.of(0))
        if data.draw(st.booleans()):
            left = left * Size.symbol(data.draw(names)) // 2
        sizes.equate(left, Size.of(left.evaluate(hidden)), at)
    solution = sizes.solve()
    assert not solution.refuted
    assert set(solution.values) | set(solution.undetermined) == set(hidden)
    for name, value in solution.values.items():
        assert value == hidden[name]


def test_thousands_of_equations_take_linear_time() -> None:
    began = time.perf_counter()
    for step in (1, -1):
        sizes = solver()
        unknowns = [sizes.unknown("u") for _ in range(2000)]
        for first, second in list(pairwise(unknowns))[::step]:
            sizes.equate(first, second + 1, None)
        sizes.equate(unknowns[-1], d, None)
        solution = sizes.solve()
        assert solution.values[str(unknowns[0])] == d + 1999
        assert not solution.undetermined + solution.unproved
    assert time.perf_counter() - began < 8
