"""Normal around zero without its tails."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class TruncatedNormal(Initialiser):
    """`truncated_normal(std)`: normal with mean 0, drawn again beyond two standard deviations.

    std is the standard deviation before the cut, 1 where none is given.
    """

    word = "truncated_normal"
    arguments = ("std",)

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del axes
        return "" if min(arguments, default=0) >= 0 else "a standard deviation of at least 0"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        (std,) = arguments or (1.0,)
        return f"nn.init.trunc_normal_({tensor}, std={number(std)}, a={number(-2 * std)}, b={number(2 * std)})"
