"""The negative."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import UNARY, bracket
from archc.ops.operation import LINEAR, Array, Pointwise


@final
class Neg(Pointwise):
    """-x."""

    word = "neg"
    result = "same"
    factors = LINEAR
    slopes = ("-1",)

    def value(self, x: Array) -> Array:
        return np.negative(x)

    def torch(self, x: str) -> str:
        return f"-{bracket(x, UNARY)}"
