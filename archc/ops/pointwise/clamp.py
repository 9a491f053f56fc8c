"""Cutting off on both sides."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import number
from archc.ops.operation import Array, Pointwise


@final
class Clamp(Pointwise):
    """x cut off below `lower` and above `upper`."""

    word = "clamp"
    kinks = (0.0, 1.0)
    flops = 2
    slopes = ("where(x >= lower and x <= upper, 1.0, 0.0)",)

    lower: float = 0.0
    upper: float = 1.0

    def value(self, x: Array) -> Array:
        return np.clip(x, self.lower, self.upper)

    def torch(self, x: str) -> str:
        return f"torch.clamp({x}, {number(self.lower)}, {number(self.upper)})"
