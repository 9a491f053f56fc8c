"""Rounding to the nearest."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Round(Pointwise):
    """The whole number nearest to x, the even one where two are equally near."""

    word = "round"
    result = "same"
    kinks = (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)
    factors = ODD
    scalar = "round"

    def value(self, x: Array) -> Array:
        return np.round(x)

    def torch(self, x: str) -> str:
        return f"torch.round({x})"
