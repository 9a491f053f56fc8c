"""The logarithm of a uniform number."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class LogOfUniform(Initialiser):
    """`log_of_uniform(low, high)`: numbers whose exponential is uniform in [low, high], 0 < low < high."""

    word = "log_of_uniform"
    arguments = ("low", "high")
    least = 2

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del axes
        low, high = arguments
        return "" if 0 < low < high else "0 < low < high"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        low, high = map(number, arguments)
        return f"nn.init.uniform_({tensor}, {low}, {high}).detach().log_()"
