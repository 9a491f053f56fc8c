"""The inverse tangent."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Atan(Pointwise):
    """The angle in (-pi / 2, pi / 2) whose tangent is x."""

    word = "atan"
    factors = ODD
    scalar = "math.atan"
    slopes = ("1 / (1 + square(x))",)

    def value(self, x: Array) -> Array:
        return np.arctan(x)

    def torch(self, x: str) -> str:
        return f"torch.atan({x})"
