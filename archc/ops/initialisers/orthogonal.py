"""A random orthogonal matrix."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class Orthogonal(Initialiser):
    """`orthogonal(gain)`: rows, or columns if these are fewer, orthogonal and of length gain (1 where none is given);
    a tensor of more axes is read as a matrix whose rows are its first axis (Saxe et al., arXiv 1312.6120)."""

    word = "orthogonal"
    arguments = ("gain",)

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del arguments
        return "" if axes >= 2 else "a parameter of two axes or more"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        (gain,) = arguments or (1.0,)
        return f"nn.init.orthogonal_({tensor}, gain={number(gain)})"
