"""The absolute value."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Abs(Pointwise):
    """|x|."""

    word = "abs"
    result = "same"
    kinks = (0.0,)
    factors = Factors(units=((1, 1), (-1, 1)), positive=1.0)
    scalar = "abs"
    slopes = ("sign(x)",)

    def value(self, x: Array) -> Array:
        return np.abs(x)

    def torch(self, x: str) -> str:
        return f"torch.abs({x})"
