"""The Gaussian bump."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import EVEN, Array, Pointwise


@final
class Gaussian(Pointwise):
    """exp(-x^2), the bump of radial basis functions (Broomhead and Lowe, 1988)."""

    word = "gaussian"
    factors = EVEN
    flops = 3
    slopes = ("-2 * x * f",)

    def value(self, x: Array) -> Array:
        return np.exp(-np.square(x))

    def torch(self, x: str) -> str:
        return f"torch.exp(-torch.square({x}))"
