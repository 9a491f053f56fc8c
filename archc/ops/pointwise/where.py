"""One of two, by a condition."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import Array, Pointwise


@final
class Where(Pointwise):
    """a where the condition holds and b elsewhere; the other is not looked at."""

    word = "where"
    arity = 3
    takes = ("bool", "real")
    result = "same"
    slopes = ("0", "where(condition, 1.0, 0.0)", "where(condition, 0.0, 1.0)")

    def value(self, condition: Array, a: Array, b: Array) -> Array:
        return np.where(condition, a, b)

    def torch(self, condition: str, a: str, b: str) -> str:
        return f"torch.where({condition}, {a}, {b})"
