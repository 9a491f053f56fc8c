"""Delaying a sequence."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Axes, Operation, Sample
from archc.types.size import Size


@final
class ShiftRight(Operation):
    """Every entry `by` positions further along the axis `over`; the first ones are `fill`, 0 or a value without that
    axis (the start symbol of a decoder), and the last ones are lost."""

    word = "shift_right"
    formula = """(x: real[over], fill: real[] = 0) -> (y: real[over])
        where by >= 0
    {
        let y[over] = where(over < by, fill, x[over: over - by else 0])
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 5]", "shift_right(x, over = t)", "real[batch, t: 5]"),
        Sample(
            "x: real[batch, t: 5, d: 2], s: real[d: 2]",
            "x |> shift_right(over = t, by = 2, fill = s)",
            "real[batch, t: 5, d: 2]",
        ),
        Sample("x: real[batch, t: 5]", "shift_right(x, over = n)", code="E0301"),
        Sample("x: real[batch, t: 5, d: 2], s: real[d: 3]", "shift_right(x, over = t, fill = s)", code="E0312"),
    )
    over: Axes
    by: Size = Size.of(1)
