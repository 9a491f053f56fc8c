"""The natural logarithm."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Log(Pointwise):
    """The natural logarithm of x > 0."""

    word = "log"
    low = 0.0
    scalar = "math.log"
    slopes = ("1 / x",)

    def value(self, x: Array) -> Array:
        return np.log(x)

    def torch(self, x: str) -> str:
        return f"torch.log({x})"
