"""Concatenation along an axis."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, OneAxis, Operation, Sample, every_axis


@final
class Concat(Operation):
    """The operands one after the other along the axis `over`, whose sizes add up; their other axes are the same.

    Each operand is read shifted by the sizes of those before it, and is 0 elsewhere: the result is the sum.
    """

    word = "concat"
    variadic = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("a: real[batch, d: 3], b: real[batch, d: 2]", "concat(a, b, over = d)", "real[batch, d: 5]"),
        Sample("a: real[n: 2, d], b: real[d, n: 3], c: real[n: 1, d]", "concat(a, b, c, over = n)", "real[n: 6, d]"),
        Sample("a: real[h, c: 2, w], b: real[h, w, c: 1]", "concat(a, b, over = c)", "real[c: 3, h, w]"),
        Sample("a: real[d: 2], b: real[n, d: 3], c: real[m, d: 1]", "concat(a, b, c, over = d)", "real[n, m, d: 6]"),
        Sample("a: real[batch, d: 3], b: real[batch, d: 2]", "concat(a, b, over = e)", code="E0301"),
        Sample("a: real[n: 4, d: 3], b: real[n: 5, d: 2]", "concat(a, b, over = d)", code="E0312"),
        Sample("a: real[h: 2, w: 2], b: real[h: 2, w: 2]", "concat(a, b, over = (h, w))", code="E0204"),
    )
    over: OneAxis

    def meaning(self, arity: int) -> str:
        ports = ", ".join(f"x{at}: real[over: n{at}]" for at in range(arity))
        total = " + ".join(f"n{at}" for at in range(arity))
        shifted = ["over", *(f"over - {' - '.join(f'n{before}' for before in range(at))}" for at in range(1, arity))]
        terms = " + ".join(f"x{at}[over: {index} else 0]" for at, index in enumerate(shifted))
        return f"""({ports}) -> (y: real[over: {total}]) {{
            let y[over: {total}] = {terms}
            return y
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        axes = every_axis(to.operands)
        parts = ", ".join(to.arrange(operand, axes).text for operand in to.operands)
        return (Lowered(f"torch.cat(({parts}), {axes.index(self.over[0].name) - len(axes)})", axes),)
