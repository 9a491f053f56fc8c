"""The cosine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import EVEN, Array, Pointwise


@final
class Cos(Pointwise):
    """cos(x), x in radians."""

    word = "cos"
    factors = EVEN
    scalar = "math.cos"
    slopes = ("-sin(x)",)

    def value(self, x: Array) -> Array:
        return np.cos(x)

    def torch(self, x: str) -> str:
        return f"torch.cos({x})"
