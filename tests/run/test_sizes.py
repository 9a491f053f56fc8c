"""Sizes that satisfy what a net asks, chosen to tell mistakes apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from archc.base.assets import specs_root
from archc.driver import graph
from archc.run.sizes import REGIMES, Regime, SizesNotFoundError, SizesRefusedError, choose, survey

SPECS = sorted(path for path in specs_root().rglob("*.arch") if path.parent.name != "std")

SPLIT = """
net Split (width = 6, heads = 3, depth = 2) (x: real[batch, n, d]) -> (y: real[batch, n, d])
    where size(d) % heads == 0, n >= 3
{
    return repeat depth with x { return x |> layer(d -> d) }
}
"""


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
@pytest.mark.parametrize("regime", ["small", *REGIMES])
def test_every_condition_of_every_spec_holds(path: Path, regime: str) -> None:
    typed = graph(path)
    found = choose(typed, regime)
    assert found.keys() == {symbol.name for symbol in typed.net.symbols}
    assert all(condition.evaluate(found) for condition in survey(typed).conditions)


def test_regimes() -> None:
    typed = graph(SPLIT)
    primes, equal, ones = (choose(typed, regime) for regime in REGIMES)
    axes = ("width", "heads", "batch", "n", "d")
    assert len({primes[name] for name in axes}) == len(axes)
    assert primes["d"] % primes["heads"] == 0
    assert len({equal[name] for name in axes}) == 1
    assert (ones["batch"], ones["n"], ones["d"]) == (1, 3, 1)


def test_what_is_given_is_kept() -> None:
    found = choose(graph(SPLIT), "primes", {"d": 12, "heads": 4})
    assert (found["d"], found["heads"]) == (12, 4)


def test_small_sizes_keep_the_defaults() -> None:
    found = choose(graph(SPLIT), "small")
    assert (found["width"], found["heads"], found["depth"], found["batch"]) == (6, 3, 2, 2)


@pytest.mark.parametrize("regime", REGIMES)
def test_loops_run_a_few_times(regime: Regime) -> None:
    coarse = SPLIT.replace("n >= 3", "size(n) % 16 == 0")
    assert choose(graph(coarse), regime)["depth"] <= 3


@pytest.mark.parametrize(
    ("step", "is_long"), [("0.5 * h + x", True), ("tanh(layer(h, d -> d) + x)", False), ("x - h ^ 2", True)]
)
def test_steps_that_are_joined_are_many(step: str, is_long: bool) -> None:
    """So many that an iteration of Newton's method or a doubling does not reach over them."""
    solver = "associative()" if step.startswith("0.5") else "newton(iterations = 3)"
    text = f"""net N (x: real[batch, t, d: 9]) -> (y: real[batch, d: 9]) {{
        return scan over t with h = x[t: 0] using {solver} {{ return {step} }}
    }}"""
    lengths = [choose(graph(text), "primes", seed=seed)["t"] for seed in range(10)]
    assert (min(lengths) >= 7) is is_long
    assert choose(graph(text), "ones")["t"] == 1


def test_what_need_not_be_long_is_not_made_equal_to_what_does() -> None:
    found = choose(graph(SPLIT.replace("n >= 3", "size(n) % 32 == 0")), "equal")
    assert found["n"] == 32
    assert len({found[name] for name in ("width", "heads", "batch", "d")}) == 1
    assert found["batch"] <= 3


def test_impossible_sizes() -> None:
    with pytest.raises(SizesRefusedError, match=r"asks for d % heads == 0, which does not hold for d = 5, heads = 2"):
        choose(graph(SPLIT), "primes", {"d": 5, "heads": 2})
    odd = graph("net A (x: real[n]) -> (y: real[n]) where n % 2 == 0, n % 2 == 1 { return x }")
    with pytest.raises(SizesNotFoundError, match=r"no sizes up to 64 satisfy n % 2 == 0, n % 2 == 1$"):
        choose(odd, "primes")


def test_open_sizes_reach_as_far_as_those_given() -> None:
    typed = graph("net A (x: real[n], z: real[m]) -> (y: real[n]) where size(m) == size(n) + 7 { return x }")
    assert choose(typed, "small", {"n": 100})["m"] == 107
