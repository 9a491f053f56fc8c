"""Whether every one holds."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import bracket, dimensions, infix
from archc.ops.operation import Array, Reduction


@final
class All(Reduction):
    """Whether every one holds, of truth values; true of none."""

    word = "all"
    identity = 1.0
    result = "bool"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        return np.asarray(np.all(array, axis=axes, where=where))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        return f"{bracket(operand)}.all({dimensions(dims)})"

    def torch_where(self, operand: str, condition: str, dims: tuple[int, ...]) -> str:
        return self.torch(infix("|", (f"~{bracket(condition)}", operand)), dims)
