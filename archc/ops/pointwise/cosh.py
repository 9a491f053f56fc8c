"""The hyperbolic cosine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import EVEN, Array, Pointwise


@final
class Cosh(Pointwise):
    """(exp(x) + exp(-x)) / 2."""

    word = "cosh"
    factors = EVEN
    scalar = "math.cosh"
    slopes = ("sinh(x)",)

    def value(self, x: Array) -> Array:
        return np.cosh(x)

    def torch(self, x: str) -> str:
        return f"torch.cosh({x})"
