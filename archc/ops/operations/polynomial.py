"""Polynomials by their coefficients."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample


@final
class Polynomial(Operation):
    """a_0 + a_1 x + ... + a_n x^n, with the coefficients a along the axis `over`; by Horner's rule (1819) where their
    number is known, so that no power is taken and no tensor has both the axes of x and that of the coefficients."""

    word = "polynomial"
    formula = """(x: real[], a: real[over]) -> (y: real[]) {
        return sum over: a * x ^ over
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d], a: real[p: 6]", "polynomial(x, a, over = p)", "real[batch, d]"),
        Sample("x: real[batch, d, n], a: real[p: 4, d]", "polynomial(2 * x, a, over = p)", "real[batch, d, n]"),
        Sample("x: real[d, batch], a: real[o, p: 3]", "polynomial(x, a, over = p)", "real[d, batch, o]"),
        Sample("x: real[batch], a: real[p]", "polynomial(x, a, over = p)", "real[batch]"),
        Sample("x: real[batch], a: real[p: 1]", "polynomial(x, a, over = p)", "real[batch]"),
        Sample("x: real[batch], a: real[p: 3]", "polynomial(x, a, over = q)", code="E0301"),
        Sample("x: real[batch], a: real[p: 3]", "polynomial(x, over = p)", code="E0203"),
    )
    over: Axes

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        x, a = to.operands
        (over,) = self.over
        count = next(axis.size for axis in a.type.axes if axis.name == over.name)
        if count.constant is None or not 1 < count.constant <= 64:
            return None
        extra = tuple(name for name in a.axes if name not in (*x.axes, over.name))
        axes = (*x.axes, *extra)
        sizes = {axis.name: axis for axis in (*x.type.axes, *a.type.axes)}
        type = replace(x.type, axes=tuple(sizes[name] for name in axes))
        wide = f"{x.text}[{', '.join(('...', *('None' for _ in extra)))}]" if extra else x.text
        a = to.last(a, [*(name for name in axes if name in a.axes), over.name])
        first = next((at for at, name in enumerate(axes) if name in a.axes), len(axes))
        along = "".join(":, " if name in a.axes else "None, " for name in axes[first:])
        found = f"{a.text}[{along}{count.constant - 1}]"
        for m in reversed(range(count.constant - 1)):
            found = to.name("y", f"{found} * {wide} + {a.text}[{along}{m}]", axes, type).text
        return (Lowered(found, axes),)
