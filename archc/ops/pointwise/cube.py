"""The cube."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Array, Factors, Pointwise


@final
class Cube(Pointwise):
    """x * x * x."""

    word = "cube"
    result = "same"
    factors = Factors(units=((1, 1), (-1, -1)), positive=3.0)
    flops = 2
    slopes = ("3 * square(x)",)

    def value(self, x: Array) -> Array:
        return x * x * x

    def torch(self, x: str) -> str:
        return f"torch.pow({x}, 3)"
