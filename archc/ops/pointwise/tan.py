"""The tangent."""

from __future__ import annotations

import math
from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Tan(Pointwise):
    """sin(x) / cos(x), x in radians; the stated domain is its branch around 0."""

    word = "tan"
    low = -math.pi / 2
    high = math.pi / 2
    factors = ODD
    scalar = "math.tan"
    slopes = ("1 + square(f)",)

    def value(self, x: Array) -> Array:
        return np.tan(x)

    def torch(self, x: str) -> str:
        return f"torch.tan({x})"
