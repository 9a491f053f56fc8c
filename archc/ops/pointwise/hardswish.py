"""The piecewise quadratic silu."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Hardswish(Pointwise):
    """x * relu6(x + 3) / 6 (Howard et al., MobileNetV3, arXiv 1905.02244)."""

    word = "hardswish"
    kinks = (-3.0, 3.0)
    flops = 5
    slopes = ("where(abs(x) < 3, x / 3 + 0.5, where(x > 0, 1.0, 0.0))",)

    def value(self, x: Array) -> Array:
        return x * np.clip(x + 3.0, 0.0, 6.0) / 6.0

    def torch(self, x: str) -> str:
        return f"F.hardswish({x})"
