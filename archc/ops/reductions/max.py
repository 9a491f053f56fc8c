"""The largest."""

from __future__ import annotations

import math
from typing import final

from archc.formula.tree import Apply, Formula, Reduce
from archc.ops.arithmetic import np
from archc.ops.expression import bracket, dimensions
from archc.ops.operation import Array, Reduction


@final
class Max(Reduction):
    """The largest entry; -infinity of none."""

    word = "max"
    identity = -math.inf
    scatter = "amax"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        whole = np.issubdtype(array.dtype, np.integer)
        initial = np.iinfo(array.dtype).min if whole else self.identity
        return np.asarray(np.max(array, axis=axes, where=where, initial=initial))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        return f"{bracket(operand)}.amax({dimensions(dims)})"

    def tangent(self, whole: Reduce, entry: Formula) -> Formula:
        # entries that are equally large move it equally, as in torch
        reaches = Apply("eq", (whole.body, whole))
        condition = reaches if whole.condition is None else Apply("and", (whole.condition, reaches))
        return Reduce("mean", whole.axes, entry, condition)
