"""Rounding up."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Ceil(Pointwise):
    """The smallest whole number that is at least x."""

    word = "ceil"
    result = "same"
    kinks = (-2.0, -1.0, 0.0, 1.0, 2.0)
    scalar = "math.ceil"

    def value(self, x: Array) -> Array:
        return np.ceil(x)

    def torch(self, x: str) -> str:
        return f"torch.ceil({x})"
