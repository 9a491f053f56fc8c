"""A stretch of an axis."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, OneAxis, Operation, Sample
from archc.types.size import Size


@final
class Slice(Operation):
    """`size` consecutive positions of the axis `over`, from position `start` on."""

    word = "slice"
    formula = """(x: real[over]) -> (y: real[over: size])
        where start >= 0, start + size <= size(over)
    {
        let y[over: size] = x[over: over + start]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 6]", "slice(x, over = d, start = 2, size = 3)", "real[batch, d: 3]"),
        Sample("x: real[d: 6, batch]", "x |> slice(over = d, size = 4)", "real[d: 4, batch]"),
        Sample("x: real[batch, d: 6]", "slice(x, over = d, start = 4, size = 3)", code="E0321"),
        Sample("x: real[batch, d: 6]", "slice(x, over = d, start = 4)", code="E0205"),
        Sample("x: real[h: 6, w: 6]", "slice(x, over = (h, w), size = 4)", code="E0204"),
    )
    over: OneAxis
    start: Size = Size.of(0)
    size: Size

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        dim = to.dim(x, self.over[0].name)
        return (Lowered(f"{x.text}.narrow({dim}, {to.size(self.start)}, {to.size(self.size)})", x.axes),)
