"""The logarithm of one more."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Log1p(Pointwise):
    """log(1 + x) for x > -1, accurate near 0."""

    word = "log1p"
    low = -1.0
    flops = 2
    scalar = "math.log1p"
    slopes = ("1 / (1 + x)",)

    def value(self, x: Array) -> Array:
        return np.log1p(x)

    def torch(self, x: str) -> str:
        return f"torch.log1p({x})"
