"""The exponential."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Exp(Pointwise):
    """e to the power x."""

    word = "exp"
    scalar = "math.exp"
    slopes = ("f",)

    def value(self, x: Array) -> Array:
        return np.exp(x)

    def torch(self, x: str) -> str:
        return f"torch.exp({x})"
