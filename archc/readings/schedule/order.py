"""In which order the factors of a contraction meet: two at a time, for the least work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

_FEW = 8
"""Up to so many factors every order is weighed, 3^n of them; beyond, the cheapest pair goes first."""

Volume = Callable[[Iterable[str]], float]
Axes = frozenset[str]
Tree = int | tuple["Tree", "Tree"]


def contraction_order(parts: Sequence[Iterable[str]], bound: Iterable[str], volume: Volume) -> Tree:
    """The order for factors over these axes: the place of a factor, or the two sides of a product.

    `bound` axes are summed as soon as no other factor has them; `volume` is the number of entries over some axes.
    """
    weighing = _Weighing([frozenset(part) for part in parts], frozenset(bound), volume)
    return weighing.best() if len(parts) <= _FEW else weighing.greedy()


class _Weighing:
    def __init__(self, parts: list[Axes], bound: Axes, volume: Volume) -> None:
        self.parts = parts
        self.bound = bound
        self.volume = volume

    def best(self) -> Tree:
        """The order with the least work of all."""
        whole = (1 << len(self.parts)) - 1
        found: dict[int, tuple[float, Tree]] = {1 << place: (0.0, place) for place in range(len(self.parts))}
        kept = {mask: self.kept(mask) for mask in range(1, whole + 1)}
        for mask in range(1, whole + 1):
            if mask in found:
                continue
            rest = mask & (mask - 1)  # the first factor stands on the left: a product and its mirror image are one
            left, choices = mask, []
            while left := (left - 1) & mask:
                if left & ~rest:
                    right = mask ^ left
                    work = found[left][0] + found[right][0] + self.work(kept[left], kept[right], kept[mask])
                    choices.append((work, left))
            work, left = min(choices)
            found[mask] = work, (found[left][1], found[mask ^ left][1])
        return found[whole][1]

    def greedy(self) -> Tree:
        """The order that takes the cheapest product at each step."""
        trees: dict[int, Tree] = {1 << place: place for place in range(len(self.parts))}
        while len(trees) > 1:
            left, right = min(
                combinations(trees, 2),
                key=lambda pair: self.work(self.kept(pair[0]), self.kept(pair[1]), self.kept(pair[0] | pair[1])),
            )
            trees[left | right] = trees.pop(left), trees.pop(right)
        (tree,) = trees.values()
        return tree

    def kept(self, mask: int) -> Axes:
        """The axes of the product of some factors once every sum is done that concerns no other factor."""
        inside = [part for place, part in enumerate(self.parts) if mask >> place & 1]
        others = [part for place, part in enumerate(self.parts) if not mask >> place & 1]
        return frozenset[str]().union(*inside) - (self.bound - frozenset[str]().union(*others))

    def work(self, left: Axes, right: Axes, kept: Axes) -> float:
        """Multiplications, and numbers written, which take longer."""
        return self.volume(left | right) + 4 * self.volume(kept)
