"""Whether it does not hold."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import UNARY, bracket
from archc.ops.operation import Array, Pointwise


@final
class Not(Pointwise):
    """not a, of a truth value."""

    word = "not"
    takes = ("bool",)
    result = "bool"

    def value(self, a: Array) -> Array:
        return np.logical_not(a)

    def torch(self, a: str) -> str:
        return f"~{bracket(a, UNARY)}"
