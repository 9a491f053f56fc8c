"""The binary exponential."""

from __future__ import annotations

import math
from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Exp2(Pointwise):
    """2 to the power x."""

    word = "exp2"
    slopes = (f"{math.log(2)} * f",)

    def value(self, x: Array) -> Array:
        return np.exp2(x)

    def torch(self, x: str) -> str:
        return f"torch.exp2({x})"
