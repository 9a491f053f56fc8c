"""The logarithm of a sum of exponentials."""

from __future__ import annotations

import math
from typing import final

from archc.formula.algebra import difference, times
from archc.formula.tree import Apply, Formula, Reduce
from archc.ops.arithmetic import np
from archc.ops.expression import dimensions
from archc.ops.operation import Array, Reduction


@final
class LogSumExp(Reduction):
    """log(sum(exp(x))) without overflow; -infinity of none."""

    word = "logsumexp"
    identity = -math.inf
    result = "real"
    flops = 3

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        return np.asarray(np.logaddexp.reduce(np.where(where, array, -np.inf), axis=axes))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        return f"torch.logsumexp({operand}, {dimensions(dims)})"

    def tangent(self, whole: Reduce, entry: Formula) -> Formula:
        share = Apply("exp", (difference(whole.body, whole),))
        return Reduce("sum", whole.axes, times(share, entry), whole.condition)
