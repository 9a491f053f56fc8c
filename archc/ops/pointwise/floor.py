"""Rounding down."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Floor(Pointwise):
    """The largest whole number that is at most x."""

    word = "floor"
    result = "same"
    kinks = (-2.0, -1.0, 0.0, 1.0, 2.0)
    scalar = "math.floor"

    def value(self, x: Array) -> Array:
        return np.floor(x)

    def torch(self, x: str) -> str:
        return f"torch.floor({x})"
