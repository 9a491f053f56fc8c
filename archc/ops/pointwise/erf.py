"""The error function."""

from __future__ import annotations

import math
from typing import final

from archc.ops.operation import ODD, Array, Pointwise
from archc.ops.special import erf


@final
class Erf(Pointwise):
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""

    word = "erf"
    factors = ODD
    scalar = "math.erf"
    slopes = (f"{2 / math.sqrt(math.pi)} * gaussian(x)",)

    def value(self, x: Array) -> Array:
        return erf(x)

    def torch(self, x: str) -> str:
        return f"torch.erf({x})"
