"""The largest of several."""

from __future__ import annotations

from functools import reduce
from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import is_number
from archc.ops.operation import Array, Factors, Pointwise


@final
class Maximum(Pointwise):
    """The largest of its operands, entry by entry."""

    word = "maximum"
    arity = None
    result = "same"
    factors = Factors(positive=1.0)
    scalar = "max"
    slopes = ("(1 + sign(x - rest)) / 2",)

    def value(self, *operands: Array) -> Array:
        return np.asarray(reduce(np.maximum, operands))

    def torch(self, *operands: str) -> str:
        tensors = [operand for operand in operands if not is_number(operand)]
        if not tensors:
            return f"max({', '.join(operands)})"
        text = reduce("torch.maximum({}, {})".format, tensors)
        bounds = [operand for operand in operands if is_number(operand)]
        return f"torch.clamp({text}, min={max(bounds, key=float)})" if bounds else text
