"""The inverse sine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Asin(Pointwise):
    """The angle in [-pi / 2, pi / 2] whose sine is x, for x in [-1, 1]; its slope is infinite at both ends."""

    word = "asin"
    low = -1.0
    high = 1.0
    factors = ODD
    scalar = "math.asin"
    slopes = ("rsqrt(1 - square(x))",)

    def value(self, x: Array) -> Array:
        return np.arcsin(x)

    def torch(self, x: str) -> str:
        return f"torch.asin({x})"
