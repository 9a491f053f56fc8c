"""The self-normalising exponential linear unit."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise

ALPHA = 1.6732632423543772848170429916717
SCALE = 1.0507009873554804934193349852946


@final
class Selu(Pointwise):
    """SCALE * x for x >= 0 and SCALE * ALPHA * (exp(x) - 1) below: constants that keep mean 0 and variance 1 from
    layer to layer (Klambauer et al., arXiv 1706.02515)."""

    word = "selu"
    kinks = (0.0,)
    flops = 4
    slopes = (f"where(x > 0, {SCALE}, f + {SCALE * ALPHA})",)

    def value(self, x: Array) -> Array:
        return SCALE * np.where(x >= 0, x, ALPHA * np.expm1(np.minimum(x, 0.0)))

    def torch(self, x: str) -> str:
        return f"F.selu({x})"
