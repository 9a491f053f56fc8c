"""Widening an axis at both ends."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.expression import number
from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample
from archc.types.size import Size


@final
class Pad(Operation):
    """`before` positions more at the start of each axis `over`, `after` more at its end, all of the value `fill`."""

    word = "pad"
    formula = """(x: real[over]) -> (y: real[over: size(over) + before + after])
        where before >= 0, after >= 0
    {
        let y[over: size(over) + before + after] = x[over: over - before else fill]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 3]", "pad(x, over = d, before = 1, after = 2)", "real[batch, d: 6]"),
        Sample(
            "x: real[h: 3, c, w: 2]",
            "x |> pad(over = (h, w), before = 1, after = 1, fill = 0.5)",
            "real[h: 5, c, w: 4]",
        ),
        Sample("x: real[batch, d: 3]", "pad(x, over = e, before = 1)", code="E0301"),
        Sample("x: real[batch, d: 3]", "pad(x, over = d, before = 0 - 1)", code="E0321"),
    )
    over: Axes
    before: Size = Size.of(0)
    after: Size = Size.of(0)
    fill: float = 0.0

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        widths = {to.dim(x, axis.name): (to.size(self.before), to.size(self.after)) for axis in self.over}
        # torch lists the widths from the last axis on, and every axis up to the first that is widened
        listed = (width for dim in range(-1, min(widths) - 1, -1) for width in widths.get(dim, ("0", "0")))
        fill = f", value={number(self.fill)}" if self.fill else ""
        return (Lowered(f"F.pad({x.text}, ({', '.join(listed)}){fill})", x.axes),)
