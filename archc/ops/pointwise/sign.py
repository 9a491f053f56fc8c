"""The sign."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Sign(Pointwise):
    """-1, 0 or 1 as x is below, at or above 0."""

    word = "sign"
    result = "same"
    kinks = (0.0,)
    factors = Factors(units=((1, 1), (-1, -1)), positive=0.0)

    def value(self, x: Array) -> Array:
        return np.sign(x)

    def torch(self, x: str) -> str:
        return f"torch.sign({x})"
