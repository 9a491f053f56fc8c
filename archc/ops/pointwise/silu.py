"""The sigmoid linear unit."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Array, Pointwise
from archc.ops.special import sigmoid


@final
class Silu(Pointwise):
    """x * sigmoid(x), also called swish (Elfwing et al., arXiv 1702.03118; Ramachandran et al., arXiv 1710.05941)."""

    word = "silu"
    flops = 4
    slopes = ("sigmoid(x) * (1 + x - f)",)

    def value(self, x: Array) -> Array:
        return x * sigmoid(x)

    def torch(self, x: str) -> str:
        return f"F.silu({x})"
