"""A bounded odd function with polynomial tails."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Softsign(Pointwise):
    """x / (1 + |x|) (Turian, Bergstra and Bengio, NAACL 2009)."""

    word = "softsign"
    factors = ODD
    flops = 3
    slopes = ("1 / square(1 + abs(x))",)

    def value(self, x: Array) -> Array:
        return x / (1.0 + np.abs(x))

    def torch(self, x: str) -> str:
        return f"F.softsign({x})"
