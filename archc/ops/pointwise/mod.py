"""The remainder."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix
from archc.ops.operation import Array, Factors, Pointwise


@final
class Mod(Pointwise):
    """a - b * floor(a / b), of the sign of b."""

    word = "mod"
    arity = 2
    result = "same"
    kinks = (0.0,)
    factors = Factors(units=((1, 1), (-1, -1)), positive=1.0)
    infix = "%"
    jumps = True
    slopes = ("1", "-floor(a / b)")

    def value(self, a: Array, b: Array) -> Array:
        return np.mod(a, b)

    def torch(self, a: str, b: str) -> str:
        return infix("%", (a, b))
