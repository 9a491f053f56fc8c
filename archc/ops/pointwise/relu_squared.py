"""The squared rectified linear unit."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Factors, Pointwise


@final
class ReluSquared(Pointwise):
    """max(x, 0)^2 (So et al., Primer, arXiv 2109.08668)."""

    word = "relu_squared"
    kinks = (0.0,)
    factors = Factors(positive=2.0)
    flops = 2
    slopes = ("2 * relu(x)",)

    def value(self, x: Array) -> Array:
        return np.square(np.maximum(x, 0.0))

    def torch(self, x: str) -> str:
        return f"torch.square(F.relu({x}))"
