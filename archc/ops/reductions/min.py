"""The smallest."""

from __future__ import annotations

import math
from typing import final

from archc.formula.tree import Apply, Formula, Reduce
from archc.ops.arithmetic import np
from archc.ops.expression import bracket, dimensions
from archc.ops.operation import Array, Reduction


@final
class Min(Reduction):
    """The smallest entry; infinity of none."""

    word = "min"
    identity = math.inf
    scatter = "amin"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        whole = np.issubdtype(array.dtype, np.integer)
        initial = np.iinfo(array.dtype).max if whole else self.identity
        return np.asarray(np.min(array, axis=axes, where=where, initial=initial))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        return f"{bracket(operand)}.amin({dimensions(dims)})"

    def tangent(self, whole: Reduce, entry: Formula) -> Formula:
        # entries that are equally small move it equally, as in torch
        reaches = Apply("eq", (whole.body, whole))
        condition = reaches if whole.condition is None else Apply("and", (whole.condition, reaches))
        return Reduce("mean", whole.axes, entry, condition)
