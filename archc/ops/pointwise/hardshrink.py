"""Hard thresholding."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import number
from archc.ops.operation import ODD, Array, Pointwise


@final
class Hardshrink(Pointwise):
    """x outside [-bound, bound] and 0 inside (Donoho and Johnstone, 1994)."""

    word = "hardshrink"
    kinks = (-0.5, 0.5)
    factors = ODD
    flops = 2
    slopes = ("where(abs(x) > bound, 1.0, 0.0)",)

    bound: float = 0.5

    def value(self, x: Array) -> Array:
        return np.where(np.abs(x) > self.bound, x, 0.0)

    def torch(self, x: str) -> str:
        return f"F.hardshrink({x}, {number(self.bound)})"
