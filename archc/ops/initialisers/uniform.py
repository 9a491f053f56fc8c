"""Uniform in an interval."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class Uniform(Initialiser):
    """`uniform(bound)`: uniform in [-bound, bound]; `uniform(low, high)`: uniform in [low, high]."""

    word = "uniform"
    arguments = ("bound", "high")
    least = 1

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del axes
        low, high = self.bounds(arguments)
        return "" if low <= high else "a low end that is no higher than the high one"

    @staticmethod
    def bounds(arguments: tuple[float, ...]) -> tuple[float, float]:
        """The two ends of its numbers."""
        return (arguments[0], arguments[1]) if len(arguments) == 2 else (-arguments[0], arguments[0])

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        low, high = self.bounds(arguments)
        return f"nn.init.uniform_({tensor}, {number(low)}, {number(high)})"
