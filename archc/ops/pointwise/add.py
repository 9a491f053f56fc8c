"""The sum."""

from __future__ import annotations

from functools import reduce
from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import SUM, bracket
from archc.ops.operation import LINEAR, Array, Pointwise


@final
class Add(Pointwise):
    """a + b + ..."""

    word = "add"
    arity = None
    result = "same"
    factors = LINEAR
    infix = "+"
    slopes = ("1",)

    def value(self, *operands: Array) -> Array:
        return np.asarray(reduce(np.add, operands))

    def torch(self, *operands: str) -> str:
        text = bracket(operands[0], SUM)
        for operand in operands[1:]:
            following = bracket(operand, SUM + 1)
            text += f" - {following[1:]}" if following.startswith("-") else f" + {following}"
        return text
