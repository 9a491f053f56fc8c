"""The Gaussian error linear unit."""

from __future__ import annotations

import math
from typing import final

from archc.ops.operation import Array, Pointwise
from archc.ops.special import normal_distribution


@final
class Gelu(Pointwise):
    """x * Phi(x) with Phi the distribution function of the standard normal (Hendrycks and Gimpel, arXiv 1606.08415)."""

    word = "gelu"
    flops = 5
    slopes = (f"(1 + erf(x / {math.sqrt(2)})) / 2 + x * exp(-square(x) / 2) / {math.sqrt(2 * math.pi)}",)

    def value(self, x: Array) -> Array:
        return x * normal_distribution(x)

    def torch(self, x: str) -> str:
        return f"F.gelu({x})"
