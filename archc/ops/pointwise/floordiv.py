"""The quotient rounded down."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix
from archc.ops.operation import Array, Factors, Pointwise


@final
class Floordiv(Pointwise):
    """a / b rounded down, for whole numbers a and b; of real numbers it is `floor(a / b)`, which has a derivative."""

    word = "floordiv"
    arity = 2
    takes = ("int",)
    result = "same"
    kinks = (0.0,)
    factors = Factors(units=((1, 1), (-1, 1)), positive=0.0)
    infix = "//"

    def value(self, a: Array, b: Array) -> Array:
        return np.floor_divide(a, b)

    def torch(self, a: str, b: str) -> str:
        return infix("//", (a, b))
