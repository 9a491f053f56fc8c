"""A fixed random choice of wires."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser


@final
class RandomWiring(Initialiser):
    """`random_wiring(density, seed)`: 1 with probability density, else 0; the same seed draws the same."""

    word = "random_wiring"
    arguments = ("density", "seed")
    least = 2

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        density, seed = arguments
        generator = f"torch.Generator().manual_seed({int(seed)})"
        return f"{tensor}.copy_(torch.rand({tensor}.shape, generator={generator}) < {number(density)})"
