"""What entries are multiplied with that are left out at random."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.expression import number
from archc.ops.operation import Lowered, Lowering, Operation, Sample


@final
class DropoutMask(Operation):
    """For each entry of x, 0 with probability `rate` while the module is trained and else 1 / (1 - rate); 1 in
    evaluation. It is what `dropout` multiplies x with, for use on several values."""

    word = "dropout_mask"
    draws = True
    formula = "(x: real[]) -> (y: real[]) { return 1 + 0 * stop_gradient(x) }"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "dropout_mask(x)", "real[batch, d: 5]"),
        Sample("x: real[n, d: 3], y: real[n, d: 3]", "x * y * dropout_mask(x, rate = 0.1)", "real[n, d: 3]"),
        Sample("x: real[batch, d: 5]", "dropout_mask(x, rate = 1.5)", code="E0204"),
        Sample("x: bool[batch, d: 5]", "dropout_mask(x)", code="E0330"),
    )
    rate: Annotated[float, Field(ge=0, le=1)] = 0.5

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        return (Lowered(f"F.dropout(torch.ones_like({x.text}), {number(self.rate)}, self.training)", x.axes),)
