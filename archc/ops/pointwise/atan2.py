"""The angle of a point."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Atan2(Pointwise):
    """The angle in (-pi, pi] of the point (x, y) of the plane, x and y not both 0."""

    word = "atan2"
    arity = 2
    kinks = (0.0,)
    factors = Factors(positive=0.0)
    scalar = "math.atan2"
    slopes = ("x / (square(x) + square(y))", "-y / (square(x) + square(y))")

    def value(self, y: Array, x: Array) -> Array:
        return np.arctan2(y, x)

    def torch(self, y: str, x: str) -> str:
        return f"torch.atan2({y}, {x})"
