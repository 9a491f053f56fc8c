"""Refining a grid."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample
from archc.types.size import Size


@final
class Upsample(Operation):
    """Every entry repeated `factor` times along each axis `over`: a finer grid by its nearest neighbour."""

    word = "upsample"
    formula = """(x: real[over]) -> (y: real[over: factor * size(over)])
        where factor >= 1
    {
        let y[over: factor * size(over)] = x[over: over // factor]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, c, h: 3, w: 2]", "upsample(x, over = (h, w), factor = 2)", "real[batch, c, h: 6, w: 4]"),
        Sample("x: real[h: 3, c, w: 2]", "x |> upsample(over = (h, w))", "real[h: 6, c, w: 4]"),
        Sample("x: real[t: 3, batch]", "upsample(x, over = t, factor = 3)", "real[t: 9, batch]"),
        Sample("x: real[t: 3, batch]", "upsample(x, over = s)", code="E0301"),
        Sample("x: real[t: 3, batch]", "upsample(x, over = t, factor = 0)", code="E0321"),
    )
    over: Axes
    factor: Size = Size.of(2)

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        text = x.text
        for axis in self.over:
            text += f".repeat_interleave({to.size(self.factor)}, {to.dim(x, axis.name)})"
        return (Lowered(text, x.axes),)
