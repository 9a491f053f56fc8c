"""Turning an axis round."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample


@final
class Flip(Operation):
    """Every axis of `over` backwards: the last entry first."""

    word = "flip"
    formula = """(x: real[over]) -> (y: real[over]) {
        let y[over] = x[over: size(over) - 1 - over]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t]", "flip(x, over = t)", "real[batch, t]"),
        Sample("x: real[h: 3, c, w: 2]", "x |> flip(over = (h, w))", "real[h: 3, c, w: 2]"),
        Sample("x: real[batch, t]", "flip(x, over = s)", code="E0301"),
        Sample("x: real[batch, t]", "flip(x)", code="E0205"),
    )
    over: Axes

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        dims = ", ".join(str(to.dim(x, axis.name)) for axis in self.over)
        return (Lowered(f"{x.text}.flip({dims})", x.axes),)
