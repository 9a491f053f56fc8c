"""The logarithm of the logistic function."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise
from archc.ops.special import softplus


@final
class Logsigmoid(Pointwise):
    """log(1 / (1 + exp(-x)))."""

    word = "logsigmoid"
    flops = 3
    slopes = ("sigmoid(-x)",)

    def value(self, x: Array) -> Array:
        return -softplus(-np.asarray(x))

    def torch(self, x: str) -> str:
        return f"F.logsigmoid({x})"
