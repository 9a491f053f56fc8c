"""The continuously differentiable exponential linear unit."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import number
from archc.ops.operation import Array, Pointwise


@final
class Celu(Pointwise):
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)): an elu that is smooth for every alpha (Barron, arXiv
    1704.07483)."""

    word = "celu"
    kinks = (0.0,)
    flops = 4
    slopes = ("where(x > 0, 1.0, 1 + f / alpha)",)

    alpha: float = 1.0

    def value(self, x: Array) -> Array:
        return np.where(x >= 0, x, self.alpha * np.expm1(np.minimum(x, 0.0) / self.alpha))

    def torch(self, x: str) -> str:
        return f"F.celu({x}, {number(self.alpha)})"
