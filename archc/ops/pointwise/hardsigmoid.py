"""The piecewise linear logistic function."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Hardsigmoid(Pointwise):
    """relu6(x + 3) / 6 (Howard et al., MobileNetV3, arXiv 1905.02244)."""

    word = "hardsigmoid"
    kinks = (-3.0, 3.0)
    flops = 4
    slopes = ("where(abs(x) < 3, 1 / 6, 0.0)",)

    def value(self, x: Array) -> Array:
        return np.clip(x + 3.0, 0.0, 6.0) / 6.0

    def torch(self, x: str) -> str:
        return f"F.hardsigmoid({x})"
