"""Whether all hold."""

from __future__ import annotations

from functools import reduce
from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix
from archc.ops.operation import Array, Pointwise


@final
class And(Pointwise):
    """a and b and ..., of truth values."""

    word = "and"
    arity = None
    takes = ("bool",)
    result = "bool"
    infix = "&"

    def value(self, *operands: Array) -> Array:
        return np.asarray(reduce(np.logical_and, operands))

    def torch(self, *operands: str) -> str:
        return infix("&", operands)
