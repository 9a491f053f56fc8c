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

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        del axes
        density, seed = arguments
        fits = 0 <= density <= 1 and 0 <= seed == int(seed)
        return "" if fits else "a density from 0 to 1, and a whole number of at least 0 as its seed"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        density, seed = arguments
        generator = f"torch.Generator().manual_seed({int(seed)})"
        return f"{tensor}.copy_(torch.rand({tensor}.shape, generator={generator}) < {number(density)})"
