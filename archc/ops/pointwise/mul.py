"""The product."""

from __future__ import annotations

from functools import reduce
from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix
from archc.ops.operation import Array, Pointwise


@final
class Mul(Pointwise):
    """a * b * .... Its factor is the product of the factors of its operands, which the table of a common factor
    cannot say."""

    word = "mul"
    arity = None
    result = "same"
    infix = "*"
    slopes = ("rest",)

    def value(self, *operands: Array) -> Array:
        return np.asarray(reduce(np.multiply, operands))

    def torch(self, *operands: str) -> str:
        return infix("*", operands)
