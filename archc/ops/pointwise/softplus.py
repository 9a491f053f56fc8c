"""The smooth rectifier."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Array, Pointwise
from archc.ops.special import softplus


@final
class Softplus(Pointwise):
    """log(1 + exp(x)) (Dugas et al., NIPS 2000). torch returns x itself above 20, which is right to 2e-9."""

    word = "softplus"
    flops = 3
    slopes = ("sigmoid(x)",)

    def value(self, x: Array) -> Array:
        return softplus(x)

    def torch(self, x: str) -> str:
        return f"F.softplus({x})"
