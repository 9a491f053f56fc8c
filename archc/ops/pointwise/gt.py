"""Whether one is greater than the other."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix
from archc.ops.operation import Array, Factors, Pointwise


@final
class Gt(Pointwise):
    """a > b."""

    word = "gt"
    arity = 2
    result = "bool"
    factors = Factors(positive=0.0)
    infix = ">"

    def value(self, a: Array, b: Array) -> Array:
        return np.greater(a, b)

    def torch(self, a: str, b: str) -> str:
        return infix(">", (a, b))
