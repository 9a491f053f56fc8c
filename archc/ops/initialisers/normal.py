"""Normal around zero."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class Normal(Initialiser):
    """`normal(std)`: normal with mean 0; standard deviation 1 where none is given."""

    word = "normal"
    arguments = ("std",)

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del axes
        return "" if min(arguments, default=0) >= 0 else "a standard deviation of at least 0"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        (std,) = arguments or (1.0,)
        return f"nn.init.normal_({tensor}, std={number(std)})"
