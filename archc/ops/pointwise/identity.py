"""The identity."""

from __future__ import annotations

from typing import final

from archc.ops.operation import LINEAR, Array, Pointwise


@final
class Identity(Pointwise):
    """x itself. As a neuron it leaves a layer linear; as an edge it is a skip connection."""

    word = "identity"
    result = "same"
    factors = LINEAR
    flops = 0
    slopes = ("1",)

    def value(self, x: Array) -> Array:
        return x

    def torch(self, x: str) -> str:
        return x
