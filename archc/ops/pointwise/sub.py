"""The difference."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix
from archc.ops.operation import LINEAR, Array, Pointwise


@final
class Sub(Pointwise):
    """a - b."""

    word = "sub"
    arity = 2
    result = "same"
    factors = LINEAR
    infix = "-"
    slopes = ("1", "-1")

    def value(self, a: Array, b: Array) -> Array:
        return np.subtract(a, b)

    def torch(self, a: str, b: str) -> str:
        return infix("-", (a, b))
