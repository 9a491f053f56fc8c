"""The reciprocal."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Reciprocal(Pointwise):
    """1 / x, with a pole at 0."""

    word = "reciprocal"
    kinks = (0.0,)
    factors = Factors(units=((1, 1), (-1, -1)), positive=-1.0)
    slopes = ("-square(f)",)

    def value(self, x: Array) -> Array:
        return 1.0 / np.asarray(x)

    def torch(self, x: str) -> str:
        return f"torch.reciprocal({x})"
