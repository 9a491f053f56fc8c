"""A damped sinusoid."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Spder(Pointwise):
    """sin(x) * sqrt(|x|): a sinusoid with sublinear damping (Shah and Sitawarin, arXiv 2306.15242). The root is kept
    off 0, where its slope is infinite but that of the product is 0; the product itself is the same to 1e-19."""

    word = "spder"
    factors = ODD
    flops = 4
    slopes = ("cos(x) * sqrt(abs(x)) + sin(x) * sign(x) / (2 * sqrt(maximum(abs(x), 1e-38)))",)

    def value(self, x: Array) -> Array:
        return np.sin(x) * np.sqrt(np.abs(x))

    def torch(self, x: str) -> str:
        return f"torch.sin({x}) * torch.sqrt(torch.abs({x}).clamp(min=1e-38))"
