"""Entries left out at random while a module is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.expression import number
from archc.ops.operation import Lowered, Lowering, Operation, Sample
from archc.types.size import Size
from archc.types.tensor_type import TensorType


@final
class Dropout(Operation):
    """x, whose entries are 0 with probability `rate` while the module is trained and else divided by 1 - rate, so that
    the mean is kept (Srivastava et al., JMLR 15, 2014); x itself in evaluation. A derivative has the same entries left
    out."""

    word = "dropout"
    draws = True
    formula = "(x: real[]) -> (y: real[]) { return x * dropout_mask(x, rate = rate) }"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "dropout(x)", "real[batch, d: 5]"),
        Sample("x: real[n, d: 3]", "dropout(2 * x, rate = 0.1) + dropout(x, rate = 0)", "real[n, d: 3]"),
        Sample("x: real[batch, d: 5]", "dropout(x, rate = 1.5)", code="E0204"),
        Sample("x: bool[batch, d: 5]", "dropout(x)", code="E0330"),
    )
    rate: Annotated[float, Field(ge=0, le=1)] = 0.5

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        return (Lowered(f"F.dropout({x.text}, {number(self.rate)}, self.training)", x.axes),)

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        return (Size.of(0),)  # in evaluation
