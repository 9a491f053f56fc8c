"""Soft thresholding."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import number
from archc.ops.operation import ODD, Array, Pointwise


@final
class Softshrink(Pointwise):
    """x - bound above bound, x + bound below -bound, 0 between (Donoho, 1995)."""

    word = "softshrink"
    kinks = (-0.5, 0.5)
    factors = ODD
    flops = 3
    slopes = ("where(abs(x) > bound, 1.0, 0.0)",)

    bound: float = 0.5

    def value(self, x: Array) -> Array:
        return np.sign(x) * np.maximum(np.abs(x) - self.bound, 0.0)

    def torch(self, x: str) -> str:
        return f"F.softshrink({x}, {number(self.bound)})"
