"""Delaying a sequence."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import OneAxis, Operation, Sample
from archc.types.size import Size


@final
class ShiftRight(Operation):
    """Every entry `by` positions further along the axis `over`; the last ones are lost. The first ones are the second
    operand `fill`, a value without that axis such as the start symbol of a decoder, or 0 where none is given."""

    word = "shift_right"
    variadic = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 5]", "shift_right(x, over = t)", "real[batch, t: 5]"),
        Sample(
            "x: real[batch, t: 5, d: 2], s: real[d: 2]",
            "shift_right(x, s, over = t, by = 2)",
            "real[batch, t: 5, d: 2]",
        ),
        Sample(
            "s: real[d: 2], x: real[batch, t: 5, d: 2]",
            "x |> shift_right(over = t, fill = s)",
            "real[batch, t: 5, d: 2]",
        ),
        Sample("x: real[batch, t: 5]", "shift_right(x, over = n)", code="E0301"),
        Sample("x: real[batch, t: 5], s: real[]", "shift_right(x, over = t, fil = s)", code="E0202"),
        Sample("x: real[batch, t: 5], s: real[]", "shift_right(x, s, over = t, fill = s)", code="E0203"),
        Sample("x: real[batch, t: 5, d: 2], s: real[d: 3]", "shift_right(x, s, over = t)", code="E0312"),
    )
    over: OneAxis
    by: Size = Size.of(1)

    def meaning(self, arity: int) -> str:
        port, fill = ("", "0") if arity == 1 else (", fill: real[]", "fill")
        return f"""(x: real[over]{port}) -> (y: real[over])
            where by >= 0
        {{
            let y[over] = where(over < by, {fill}, x[over: over - by else 0])
            return y
        }}"""
