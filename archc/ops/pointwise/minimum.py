"""The smallest of several."""

from __future__ import annotations

from functools import reduce
from typing import final

from archc.ops.arithmetic import np
from archc.ops.expression import is_number
from archc.ops.operation import Array, Factors, Pointwise


@final
class Minimum(Pointwise):
    """The smallest of its operands, entry by entry."""

    word = "minimum"
    arity = None
    result = "same"
    factors = Factors(positive=1.0)
    scalar = "min"
    slopes = ("(1 - sign(x - rest)) / 2",)

    def value(self, *operands: Array) -> Array:
        return np.asarray(reduce(np.minimum, operands))

    def torch(self, *operands: str) -> str:
        tensors = [operand for operand in operands if not is_number(operand)]
        if not tensors:
            return f"min({', '.join(operands)})"
        text = reduce("torch.minimum({}, {})".format, tensors)
        bounds = [operand for operand in operands if is_number(operand)]
        return f"torch.clamp({text}, max={min(bounds, key=float)})" if bounds else text
