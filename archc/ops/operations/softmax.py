"""Softmax: numbers to a distribution."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample


@final
class Softmax(Operation):
    """exp(x) divided by its sum over the axes `over` (Bridle 1990), a distribution over an axis that stands alone; the
    largest entry is taken off first, so that nothing overflows."""

    word = "softmax"
    formula = """(x: real[over]) -> (y: simplex(over)[over]) {
        let top = max over: x
        let e = exp(x - top)
        return e / (sum over: e)
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "softmax(x, over = d)", "simplex(d)[batch, d: 5]"),
        Sample("x: real[n, batch]", "softmax(40 * x, over = n)", "real[n, batch]"),
        Sample("x: real[batch, h: 3, w: 4]", "softmax(x, over = (h, w))", "real[batch, h: 3, w: 4]"),
        Sample("x: real[batch, d: 5]", "softmax(x, over = e)", code="E0301"),
        Sample("x: real[batch, d: 5]", "softmax(x, axis = d)", code="E0202"),
    )
    over: Axes

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        if len(self.over) != 1:
            return None
        (x,) = to.operands
        return (Lowered(f"{x.text}.softmax({to.dim(x, self.over[0].name)})", x.axes),)
