"""Normal, scaled by the inputs."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class Lecun(Initialiser):
    """`lecun(gain)`: normal with mean 0 and variance gain / fan_in, so that a sum of fan_in independent terms has the
    variance of one when gain is 1 / E[f(x)^2] of the function f before it (LeCun et al. 1998); gain 1 where none is
    given."""

    word = "lecun"
    arguments = ("gain",)

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del axes
        return "" if min(arguments, default=0) >= 0 else "a gain of at least 0"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_out
        (gain,) = arguments or (1.0,)
        return f"nn.init.normal_({tensor}, std=math.sqrt({number(gain)} / ({fan_in})))"
