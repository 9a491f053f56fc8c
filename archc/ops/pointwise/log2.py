"""The binary logarithm."""

from __future__ import annotations

import math
from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Log2(Pointwise):
    """The logarithm of x > 0 to base 2."""

    word = "log2"
    low = 0.0
    scalar = "math.log2"
    slopes = (f"{1 / math.log(2)} / x",)

    def value(self, x: Array) -> Array:
        return np.log2(x)

    def torch(self, x: str) -> str:
        return f"torch.log2({x})"
