"""The rectified linear unit."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Relu(Pointwise):
    """max(x, 0), the rectified linear unit (Nair and Hinton, ICML 2010)."""

    word = "relu"
    kinks = (0.0,)
    factors = Factors(positive=1.0)
    slopes = ("where(x > 0, 1.0, 0.0)",)

    def value(self, x: Array) -> Array:
        return np.maximum(x, 0.0)

    def torch(self, x: str) -> str:
        return f"F.relu({x})"
