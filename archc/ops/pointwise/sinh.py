"""The hyperbolic sine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Sinh(Pointwise):
    """(exp(x) - exp(-x)) / 2."""

    word = "sinh"
    factors = ODD
    scalar = "math.sinh"
    slopes = ("cosh(x)",)

    def value(self, x: Array) -> Array:
        return np.sinh(x)

    def torch(self, x: str) -> str:
        return f"torch.sinh({x})"
