"""The normalised cardinal sine."""

from __future__ import annotations

import math
from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import EVEN, Array, Pointwise

# near 0 the quotient cancels, and its series is exact to rounding
NEAR = 1e-3
AWAY = f"(cos({math.pi} * x) - f) / where(abs(x) > {NEAR}, x, 1.0)"
SERIES = f"x * ({math.pi**4 / 30} * square(x) - {math.pi**2 / 3})"


@final
class Sinc(Pointwise):
    """sin(pi x) / (pi x), and 1 at 0."""

    word = "sinc"
    factors = EVEN
    flops = 3
    slopes = (f"where(abs(x) > {NEAR}, {AWAY}, {SERIES})",)

    def value(self, x: Array) -> Array:
        return np.sinc(x)

    def torch(self, x: str) -> str:
        return f"torch.sinc({x})"
