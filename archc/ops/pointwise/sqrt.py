"""The square root."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Sqrt(Pointwise):
    """The square root of x >= 0; its slope is infinite at 0."""

    word = "sqrt"
    low = 0.0
    factors = Factors(positive=0.5)
    scalar = "math.sqrt"
    slopes = ("1 / (2 * f)",)

    def value(self, x: Array) -> Array:
        return np.sqrt(x)

    def torch(self, x: str) -> str:
        return f"torch.sqrt({x})"
