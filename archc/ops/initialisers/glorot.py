"""Uniform, scaled by both fans."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Initialiser


@final
class Glorot(Initialiser):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, AISTATS 2010)."""

    word = "glorot"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del arguments
        bound = f"math.sqrt(6 / ({fan_in} + {fan_out}))"
        return f"nn.init.uniform_({tensor}, -{bound}, {bound})"
