"""The self-regularised function mish."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise
from archc.ops.special import softplus


@final
class Mish(Pointwise):
    """x * tanh(softplus(x)) (Misra, arXiv 1908.08681)."""

    word = "mish"
    flops = 5
    slopes = ("tanh(softplus(x)) + x * sigmoid(x) * (1 - square(tanh(softplus(x))))",)

    def value(self, x: Array) -> Array:
        return x * np.tanh(softplus(x))

    def torch(self, x: str) -> str:
        return f"F.mish({x})"
