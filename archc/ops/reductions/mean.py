"""The mean."""

from __future__ import annotations

from dataclasses import replace
from typing import final

from archc.formula.tree import Formula, Reduce
from archc.ops.arithmetic import np
from archc.ops.expression import bracket, dimensions
from archc.ops.operation import Array, Reduction


@final
class Mean(Reduction):
    """The sum of the entries divided by their number; 0 of none."""

    word = "mean"
    identity = 0.0
    scatter = "mean"
    result = "real"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        total = np.sum(array, axis=axes, where=where)
        count = np.sum(np.broadcast_to(where, array.shape), axis=axes)
        return np.asarray(total / np.maximum(count, 1))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        return f"{bracket(operand)}.mean({dimensions(dims)})"

    def torch_where(self, operand: str, condition: str, dims: tuple[int, ...]) -> str:
        over = dimensions(dims)
        total = f"torch.where({condition}, {operand}, 0.0).sum({over})"
        return f"{total} / {bracket(condition)}.expand_as({operand}).sum({over}).clamp(min=1)"

    def tangent(self, whole: Reduce, entry: Formula) -> Formula:
        return replace(whole, body=entry)
