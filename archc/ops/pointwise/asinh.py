"""The inverse hyperbolic sine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Asinh(Pointwise):
    """The number whose hyperbolic sine is x: a logarithm that passes through 0."""

    word = "asinh"
    factors = ODD
    scalar = "math.asinh"
    slopes = ("rsqrt(1 + square(x))",)

    def value(self, x: Array) -> Array:
        return np.arcsinh(x)

    def torch(self, x: str) -> str:
        return f"torch.asinh({x})"
