"""The rectified linear unit that saturates at 6."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Relu6(Pointwise):
    """min(max(x, 0), 6) (Krizhevsky, 2010)."""

    word = "relu6"
    kinks = (0.0, 6.0)
    flops = 2
    slopes = ("where(x > 0 and x < 6, 1.0, 0.0)",)

    def value(self, x: Array) -> Array:
        return np.clip(x, 0.0, 6.0)

    def torch(self, x: str) -> str:
        return f"F.relu6({x})"
