"""The quotient."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix
from archc.ops.operation import Array, Factors, Pointwise


@final
class Div(Pointwise):
    """a / b for b other than 0, always a real number."""

    word = "div"
    arity = 2
    kinks = (0.0,)
    factors = Factors(units=((1, 1), (-1, 1)), positive=0.0)
    infix = "/"
    slopes = ("1 / b", "-f / b")

    def value(self, a: Array, b: Array) -> Array:
        return np.true_divide(a, b)

    def torch(self, a: str, b: str) -> str:
        return infix("/", (a, b))
