"""The inverse sine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import PRODUCT, bracket
from archc.ops.operation import ODD, Array, Pointwise


@final
class Asin(Pointwise):
    """The angle in [-pi / 2, pi / 2] whose sine is x, for x in [-1, 1]; its slope is infinite at both ends.

    Where it is at an end, the module takes the number next to it, so that the slope of what saturates there, such as
    a hyperbolic tangent, is zero and not zero times infinity.
    """

    word = "asin"
    low = -1.0
    high = 1.0
    factors = ODD
    scalar = "math.asin"
    slopes = ("rsqrt(1 - square(x))",)

    def value(self, x: Array) -> Array:
        return np.arcsin(x)

    def torch(self, x: str) -> str:
        inside = f"{bracket(x, PRODUCT)} * (1 - torch.finfo({bracket(x)}.dtype).eps / 2)"
        return f"torch.asin(torch.where(torch.abs({x}) == 1, {inside}, {x}))"
