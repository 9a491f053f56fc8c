"""The exponential linear unit."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import number
from archc.ops.operation import Array, Pointwise


@final
class Elu(Pointwise):
    """x for x >= 0 and alpha * (exp(x) - 1) below, the exponential linear unit (Clevert et al., arXiv 1511.07289)."""

    word = "elu"
    kinks = (0.0,)
    flops = 3
    slopes = ("where(x > 0, 1.0, f + alpha)",)

    alpha: float = 1.0

    def value(self, x: Array) -> Array:
        return np.where(x >= 0, x, self.alpha * np.expm1(np.minimum(x, 0.0)))

    def torch(self, x: str) -> str:
        return f"F.elu({x}, {number(self.alpha)})"
