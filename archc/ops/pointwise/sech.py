"""The hyperbolic secant."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import EVEN, Array, Pointwise


@final
class Sech(Pointwise):
    """1 / cosh(x), the bump of SechKAN; as 2 e / (1 + e^2) with e = exp(-|x|), whose gradient stays finite where
    cosh overflows."""

    word = "sech"
    factors = EVEN
    flops = 6
    slopes = ("-f * tanh(x)",)

    def value(self, x: Array) -> Array:
        return 2.0 * np.exp(-np.abs(x)) / (1.0 + np.exp(-2.0 * np.abs(x)))

    def torch(self, x: str) -> str:
        return f"2 * torch.exp(-torch.abs({x})) / (1 + torch.exp(-2 * torch.abs({x})))"
