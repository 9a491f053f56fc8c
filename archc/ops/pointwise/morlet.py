"""The wavelet of a wave in a bump."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import UNARY, bracket
from archc.ops.operation import EVEN, Array, Pointwise


@final
class Morlet(Pointwise):
    """cos(5 x) exp(-x^2 / 2) (Grossmann and Morlet 1984, its real part)."""

    word = "morlet"
    factors = EVEN
    flops = 6
    slopes = ("-(5 * sin(5 * x) + x * cos(5 * x)) * exp(-square(x) / 2)",)

    def value(self, x: Array) -> Array:
        return np.cos(5.0 * x) * np.exp(-0.5 * np.square(x))

    def torch(self, x: str) -> str:
        return f"torch.cos(5 * {bracket(x, UNARY)}) * torch.exp(-0.5 * torch.square({x}))"
