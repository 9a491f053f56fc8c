"""The Gaussian error linear unit, by tanh."""

from __future__ import annotations

import math
from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise

SCALE = math.sqrt(2.0 / math.pi)
TANH = f"tanh({SCALE} * (x + 0.044715 * cube(x)))"


@final
class GeluTanh(Pointwise):
    """x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))), the approximation of gelu in its paper (Hendrycks and
    Gimpel, arXiv 1606.08415)."""

    word = "gelu_tanh"
    flops = 9
    slopes = (f"(1 + {TANH}) / 2 + x / 2 * (1 - square({TANH})) * {SCALE} * (1 + 0.134145 * square(x))",)

    def value(self, x: Array) -> Array:
        return 0.5 * x * (1.0 + np.tanh(SCALE * (x + 0.044715 * x**3)))

    def torch(self, x: str) -> str:
        return f'F.gelu({x}, approximate="tanh")'
