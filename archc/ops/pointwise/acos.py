"""The inverse cosine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Acos(Pointwise):
    """The angle in [0, pi] whose cosine is x, for x in [-1, 1]; its slope is infinite at both ends."""

    word = "acos"
    low = -1.0
    high = 1.0
    scalar = "math.acos"
    slopes = ("-rsqrt(1 - square(x))",)

    def value(self, x: Array) -> Array:
        return np.arccos(x)

    def torch(self, x: str) -> str:
        return f"torch.acos({x})"
