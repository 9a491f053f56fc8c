"""One value everywhere."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class Constant(Initialiser):
    """`constant(value)`: the value everywhere."""

    word = "constant"
    arguments = ("value",)
    least = 1

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        return f"nn.init.constant_({tensor}, {number(arguments[0])})"
