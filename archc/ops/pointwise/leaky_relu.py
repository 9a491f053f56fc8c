"""The leaky rectified linear unit."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import number
from archc.ops.operation import Array, Factors, Pointwise


@final
class LeakyRelu(Pointwise):
    """x for x >= 0 and slope * x below (Maas, Hannun and Ng, ICML workshop 2013)."""

    word = "leaky_relu"
    kinks = (0.0,)
    factors = Factors(positive=1.0)
    flops = 2
    slopes = ("where(x > 0, 1.0, slope)",)

    slope: float = 0.01

    def value(self, x: Array) -> Array:
        return np.where(x >= 0, x, self.slope * x)

    def torch(self, x: str) -> str:
        return f"F.leaky_relu({x}, {number(self.slope)})"
