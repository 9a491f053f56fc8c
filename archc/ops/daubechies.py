"""What the wavelet transform and its inverse share: Daubechies' orthogonal filters on a periodic grid."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Annotated, Any

from pydantic import Field

from archc.ops.operation import Axes, Operation

_THREE, _TEN = sqrt(3), sqrt(10)
_ROOT = sqrt(5 + 2 * _TEN)
FILTERS = {
    1: [1 / sqrt(2), 1 / sqrt(2)],
    2: [part / sqrt(32) for part in (1 + _THREE, 3 + _THREE, 3 - _THREE, 1 - _THREE)],
    3: [
        (1 + _TEN + _ROOT) / sqrt(512),
        (5 + _TEN + 3 * _ROOT) / sqrt(512),
        (10 - 2 * _TEN + 2 * _ROOT) / sqrt(512),
        (10 - 2 * _TEN - 2 * _ROOT) / sqrt(512),
        (5 + _TEN - 3 * _ROOT) / sqrt(512),
        (1 + _TEN - _ROOT) / sqrt(512),
    ],
}
"""The low-pass filters by their number of vanishing moments (Daubechies 1988, table 1); the first one is Haar's."""


class Wavelet(Operation):
    """A step between a grid and one half as fine along the axes `over`, with a band for each choice of the low or the
    high filter on each of them: band 0 is low on all, and the last axis changes fastest."""

    over: Axes
    order: Annotated[int, Field(ge=1, le=len(FILTERS))] = 1

    @property
    def hypers(self) -> Mapping[str, Any]:
        return {"over": self.over, **{f"over{at}": (axis,) for at, axis in enumerate(self.over)}}

    def filtered(self, at: int, tap: str) -> str:
        """The filter that a band has along an axis, at a tap: the low one h, or (-1)^t h[2 order - 1 - t]."""
        low = FILTERS[self.order]
        high = [(-1) ** place * value for place, value in enumerate(reversed(low))]
        bit = f"(axis // {2 ** (len(self.over) - 1 - at)}) % 2"
        return f"where({bit} == 0, {_chosen(low, tap)}, {_chosen(high, tap)})"


def _chosen(values: list[float], tap: str) -> str:
    *most, text = map(repr, values)
    for place in reversed(range(len(most))):
        text = f"where({tap} == {place}, {most[place]}, {text})"
    return text
