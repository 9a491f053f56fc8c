"""Turning a periodic axis."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample
from archc.types.size import Size


@final
class Roll(Operation):
    """Every entry `by` positions further along the axes `over`, those past the end coming in at the start."""

    word = "roll"
    formula = """(x: real[over]) -> (y: real[over]) {
        let y[over] = x[over: (over - by) % size(over)]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "roll(x, over = d, by = 2)", "real[batch, d: 5]"),
        Sample("x: real[h, c, w]", "x |> roll(over = (h, w))", "real[h, c, w]"),
        Sample("x: real[batch, d: 5]", "roll(x, over = d, by = 0 - 7)", "real[batch, d: 5]"),
        Sample("x: real[batch, d: 5]", "roll(x, over = e, by = 2)", code="E0301"),
        Sample("x: real[batch, d: 5]", "roll(x, over = d, by = 0.5)", code="E0332"),
    )
    over: Axes
    by: Size = Size.of(1)

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        dims = [str(to.dim(x, axis.name)) for axis in self.over]
        steps = [to.size(self.by)] * len(dims)
        if len(dims) == 1:
            return (Lowered(f"{x.text}.roll({steps[0]}, {dims[0]})", x.axes),)
        return (Lowered(f"{x.text}.roll(({', '.join(steps)}), ({', '.join(dims)}))", x.axes),)
