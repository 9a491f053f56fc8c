"""The piecewise linear hyperbolic tangent."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Hardtanh(Pointwise):
    """x cut off at -1 and 1 (Collobert, 2004). Other bounds: `clamp`."""

    word = "hardtanh"
    kinks = (-1.0, 1.0)
    factors = ODD
    flops = 2
    slopes = ("where(abs(x) < 1, 1.0, 0.0)",)

    def value(self, x: Array) -> Array:
        return np.clip(x, -1.0, 1.0)

    def torch(self, x: str) -> str:
        return f"F.hardtanh({x})"
