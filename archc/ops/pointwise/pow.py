"""The power."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import is_number
from archc.ops.operation import Array, Pointwise


@final
class Pow(Pointwise):
    """a ^ b: any a for a whole number b, a > 0 otherwise. A whole power of an int stays an int."""

    word = "pow"
    arity = 2
    result = "same"
    low = 0.0
    scalar = "pow"
    slopes = ("b * a ^ (b - 1)", "f * log(where(a > 0, a, 1.0))")

    def value(self, a: Array, b: Array) -> Array:
        return np.power(a, b)

    def torch(self, a: str, b: str) -> str:
        if b == "2" and not is_number(a):
            return f"torch.square({a})"
        return f"torch.pow({a}, {b})"
