"""A monotone function with a periodic part."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import infix, number
from archc.ops.operation import Array, Pointwise


@final
class Snake(Pointwise):
    """x + sin(alpha x)^2 / alpha: monotone, with a periodic part (Liu Ziyin et al., arXiv 2006.08195)."""

    word = "snake"
    flops = 5
    slopes = ("1 + sin(2 * alpha * x)",)

    alpha: float = 1.0

    def value(self, x: Array) -> Array:
        return x + np.square(np.sin(self.alpha * x)) / self.alpha

    def torch(self, x: str) -> str:
        alpha = number(self.alpha)
        angle = x if self.alpha == 1 else infix("*", (alpha, x))
        wave = f"torch.square(torch.sin({angle}))"
        return infix("+", (x, wave if self.alpha == 1 else f"{wave} / {alpha}"))
