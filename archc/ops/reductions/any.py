"""Whether one holds."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import bracket, dimensions, infix
from archc.ops.operation import Array, Reduction


@final
class Any(Reduction):
    """Whether one holds, of truth values; false of none."""

    word = "any"
    identity = 0.0
    result = "bool"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        return np.asarray(np.any(array, axis=axes, where=where))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        return f"{bracket(operand)}.any({dimensions(dims)})"

    def torch_where(self, operand: str, condition: str, dims: tuple[int, ...]) -> str:
        return self.torch(infix("&", (condition, operand)), dims)
