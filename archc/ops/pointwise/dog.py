"""The wavelet of a slope."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import UNARY, bracket
from archc.ops.operation import ODD, Array, Pointwise


@final
class Dog(Pointwise):
    """-x exp(-x^2 / 2), the derivative of a Gaussian."""

    word = "dog"
    factors = ODD
    flops = 5
    slopes = ("(square(x) - 1) * exp(-square(x) / 2)",)

    def value(self, x: Array) -> Array:
        return -x * np.exp(-0.5 * np.square(x))

    def torch(self, x: str) -> str:
        return f"-{bracket(x, UNARY)} * torch.exp(-0.5 * torch.square({x}))"
