"""The hyperbolic tangent."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Tanh(Pointwise):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""

    word = "tanh"
    factors = ODD
    scalar = "math.tanh"
    slopes = ("1 - square(f)",)

    def value(self, x: Array) -> Array:
        return np.tanh(x)

    def torch(self, x: str) -> str:
        return f"torch.tanh({x})"
