"""The square."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Square(Pointwise):
    """x * x."""

    word = "square"
    result = "same"
    factors = Factors(units=((1, 1), (-1, 1)), positive=2.0)
    slopes = ("2 * x",)

    def value(self, x: Array) -> Array:
        return np.square(x)

    def torch(self, x: str) -> str:
        return f"torch.square({x})"
