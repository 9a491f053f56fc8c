"""The exponential less one."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Expm1(Pointwise):
    """exp(x) - 1, accurate near 0."""

    word = "expm1"
    flops = 2
    scalar = "math.expm1"
    slopes = ("exp(x)",)

    def value(self, x: Array) -> Array:
        return np.expm1(x)

    def torch(self, x: str) -> str:
        return f"torch.expm1({x})"
