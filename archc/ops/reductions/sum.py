"""The sum."""

from __future__ import annotations

from dataclasses import replace
from typing import final

from archc.formula.tree import Formula, Reduce
from archc.ops.arithmetic import np
from archc.ops.expression import bracket, dimensions
from archc.ops.operation import Array, Reduction


@final
class Sum(Reduction):
    """The sum of the entries; 0 of none."""

    word = "sum"
    identity = 0.0
    scatter = "sum"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        return np.asarray(np.sum(array, axis=axes, where=where))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        return f"{bracket(operand)}.sum({dimensions(dims)})"

    def tangent(self, whole: Reduce, entry: Formula) -> Formula:
        return replace(whole, body=entry)
