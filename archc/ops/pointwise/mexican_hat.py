"""The wavelet of a Mexican hat."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import EVEN, Array, Pointwise


@final
class MexicanHat(Pointwise):
    """(1 - x^2) exp(-x^2 / 2), the second derivative of a Gaussian with its sign changed (Ricker 1953)."""

    word = "mexican_hat"
    factors = EVEN
    flops = 7
    slopes = ("x * (square(x) - 3) * exp(-square(x) / 2)",)

    def value(self, x: Array) -> Array:
        return (1.0 - np.square(x)) * np.exp(-0.5 * np.square(x))

    def torch(self, x: str) -> str:
        return f"(1 - torch.square({x})) * torch.exp(-0.5 * torch.square({x}))"
