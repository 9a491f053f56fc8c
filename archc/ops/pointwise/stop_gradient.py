"""The identity that no gradient passes."""

from __future__ import annotations

from typing import final

from archc.ops.expression import bracket
from archc.ops.operation import LINEAR, Array, Pointwise


@final
class StopGradient(Pointwise):
    """x itself, taken for a constant by every derivative. With it a block declares a gradient of its own:
    `soft + stop_gradient(hard - soft)` has the value of one and the gradient of the other (Bengio, Leonard and
    Courville, arXiv 1308.3432)."""

    word = "stop_gradient"
    result = "same"
    factors = LINEAR
    flops = 0
    stops = True

    def value(self, x: Array) -> Array:
        return x

    def torch(self, x: str) -> str:
        return f"{bracket(x)}.detach()"
