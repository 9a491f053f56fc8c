"""Even in a ring of the complex plane."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class Ring(Initialiser):
    """`ring(low, high)`: nu with exp(-exp(nu)) the radius of a point drawn evenly between the circles of radius low and
    high, 0 < low < high < 1 (Orvieto et al., arXiv 2303.06349, lemma 3.2)."""

    word = "ring"
    arguments = ("low", "high")
    least = 2

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del axes
        low, high = arguments
        return "" if 0 < low < high < 1 else "0 < low < high < 1"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        low, high = (number(radius**2) for radius in arguments)
        return f"nn.init.uniform_({tensor}, {low}, {high}).detach().log_().mul_(-0.5).log_()"
