"""The product."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import bracket
from archc.ops.operation import Array, Reduction


@final
class Prod(Reduction):
    """The product of the entries; 1 of none."""

    word = "prod"
    identity = 1.0
    scatter = "prod"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        return np.asarray(np.prod(array, axis=axes, where=where))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        text = bracket(operand)
        # torch multiplies along one dimension at a time: in this order each step leaves the rest where they are
        for dim in sorted(dims, reverse=min(dims) >= 0):
            text += f".prod({dim})"
        return text
