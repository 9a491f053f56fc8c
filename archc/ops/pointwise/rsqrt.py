"""The reciprocal square root."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class Rsqrt(Pointwise):
    """1 / sqrt(x) for x > 0."""

    word = "rsqrt"
    low = 0.0
    factors = Factors(positive=-0.5)
    flops = 2
    slopes = ("-cube(f) / 2",)

    def value(self, x: Array) -> Array:
        return 1.0 / np.sqrt(x)

    def torch(self, x: str) -> str:
        return f"torch.rsqrt({x})"
