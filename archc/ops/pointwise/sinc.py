"""The normalised cardinal sine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import EVEN, Array, Pointwise


@final
class Sinc(Pointwise):
    """sin(pi x) / (pi x), and 1 at 0."""

    word = "sinc"
    factors = EVEN
    flops = 3

    def value(self, x: Array) -> Array:
        return np.sinc(x)

    def torch(self, x: str) -> str:
        return f"torch.sinc({x})"
