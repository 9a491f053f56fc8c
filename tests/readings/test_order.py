"""The order in which the factors of a contraction meet."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from archc.readings.schedule.order import Tree, contraction_order

SIZES = {"a": 2, "b": 100, "c": 3, "d": 100, "e": 4, "x": 64, "y": 64, "k": 12, "l": 12, "i": 32, "j": 32}


def volume(axes: Iterable[str]) -> float:
    return float(prod(SIZES[axis] for axis in axes))


def test_a_chain_of_matrices_keeps_to_its_thin_ends() -> None:
    assert contraction_order(["ab", "bc", "cd", "de"], "bcd", volume) == ((0, 1), (2, 3))


def test_the_cheapest_pair_is_not_always_first() -> None:
    """Two tables would meet first, for less than any other pair, and make one over both axes and both frequencies."""
    factors = ["jkl", "ijkl", "xk", "yl"]
    tree = contraction_order(factors, "jkl", volume)
    assert tree in ((((0, 1), 2), 3), (((0, 1), 3), 2))


def test_many_factors_are_ordered_too() -> None:
    def leaves(tree: Tree) -> list[int]:
        return [tree] if isinstance(tree, int) else [leaf for side in tree for leaf in leaves(side)]

    factors = ["ab", "bc", "cd", "de", "ax", "xy", "yk", "kl", "li", "ij"]
    assert sorted(leaves(contraction_order(factors, "bcdxykli", volume))) == list(range(10))
