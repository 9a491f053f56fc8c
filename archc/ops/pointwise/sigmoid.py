"""The logistic function."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Array, Pointwise
from archc.ops.special import sigmoid


@final
class Sigmoid(Pointwise):
    """1 / (1 + exp(-x)), the logistic function."""

    word = "sigmoid"
    flops = 3
    slopes = ("f * (1 - f)",)

    def value(self, x: Array) -> Array:
        return sigmoid(x)

    def torch(self, x: str) -> str:
        return f"torch.sigmoid({x})"
