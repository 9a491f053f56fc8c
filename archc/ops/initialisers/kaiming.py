"""Uniform, scaled by the inputs."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Initialiser


@final
class Kaiming(Initialiser):
    """Uniform within 1 / sqrt(fan_in), as torch starts its own linear layers: kaiming_uniform with a = sqrt(5)
    (He et al., arXiv 1502.01852)."""

    word = "kaiming"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del arguments, fan_out
        bound = f"math.sqrt({fan_in})"
        return f"nn.init.uniform_({tensor}, -1 / {bound}, 1 / {bound})"
