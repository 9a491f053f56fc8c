"""Values that stand still while others are moved, for gradients by differences of functions that stop a gradient."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archc.readings.evaluate import Named


class Held:
    """What functions that stop a gradient gave in a first evaluation, which those after it are given again.

    A value is known by its place in the net and by how often that place was come to before.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Named] = {}
        self._counts: Counter[str] = Counter()
        self._is_filled = False

    def begin(self) -> None:
        """Begin an evaluation: the first is to be kept."""
        self._is_filled = bool(self._known)
        self._counts.clear()

    def hold(self, place: str, value: Named) -> Named:
        """What stands at a place, where the evaluation at hand comes to `value`."""
        number = self._counts[place]
        self._counts[place] += 1
        if not self._is_filled:
            self._known[place, number] = value
        # an iteration that converges later than the first one did goes on with what it ended with
        while (place, number) not in self._known and number:
            number -= 1
        return self._known[place, number]
