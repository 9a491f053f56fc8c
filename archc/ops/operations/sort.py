"""Sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, OneAxis, Operation, Sample
from archc.ops.ranked import rank
from archc.types.size import Size
from archc.types.tensor_type import TensorType


@final
class Sort(Operation):
    """The entries along the axis `over` from the smallest to the largest, or the other way where `descending`."""

    word = "sort"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, n: 5]", "sort(x, over = n)", "real[batch, n: 5]"),
        Sample("x: real[n, m: 3]", "x |> sort(over = n, descending = true)", "real[n, m: 3]"),
        Sample("x: real[batch, n: 5]", "sort(x, over = d)", code="E0301"),
        Sample("x: real[batch, n: 5]", "sort(x, over = n, descending = 1)", code="E0204"),
    )
    over: OneAxis
    descending: bool = False

    def meaning(self, arity: int) -> str:
        return f"""(x: real[over]) -> (y: real[over]) {{
            {rank(descending=self.descending)}
            let y[over] = sum m where rank[over: m] == over: x[over: m]
            return y
        }}"""

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        (x,) = operands
        return (*x.sizes.values(), x.sizes[self.over[0].name].log2)

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        descending = ", descending=True" if self.descending else ""
        return (Lowered(f"{x.text}.sort({to.dim(x, self.over[0].name)}{descending}).values", x.axes),)
