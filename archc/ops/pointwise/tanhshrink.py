"""What tanh takes away."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Tanhshrink(Pointwise):
    """x - tanh(x)."""

    word = "tanhshrink"
    factors = ODD
    flops = 2
    slopes = ("square(tanh(x))",)

    def value(self, x: Array) -> Array:
        return x - np.tanh(x)

    def torch(self, x: str) -> str:
        return f"F.tanhshrink({x})"
