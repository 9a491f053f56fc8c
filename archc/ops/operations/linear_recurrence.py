"""Linear recurrences, one for every channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from archc.ops.joined import COMPLEX_RECURRENCE, RECURRENCE
from archc.ops.operation import Axes, Lowered, Lowering, OneAxis, Operation, Sample
from archc.types.size import Size
from archc.types.tensor_type import TensorType

_REAL = """let h[over] = (sum s where s <= over: (prod r where s < r and r <= over: a[over: r]) * b[over: s])"""
_REAL_START = " + start * (prod r where r <= over: a[over: r])"

_COMPLEX = """let modulus = sqrt(a[parts: 0] ^ 2 + a[parts: 1] ^ 2)
            let angle = atan2(a[parts: 1], a[parts: 0])
            let re = b[parts: 0]
            let im = b[parts: 1]
            let size[over, s: size(over)] = prod r where s < r and r <= over: modulus[over: r]
            let turn[over, s: size(over)] = sum r where s < r and r <= over: angle[over: r]
            let p[over] = sum s where s <= over: size * (cos(turn) * re[over: s] - sin(turn) * im[over: s])
            let q[over] = sum s where s <= over: size * (sin(turn) * re[over: s] + cos(turn) * im[over: s])"""
_COMPLEX_START = """
            let size[over] = prod r where r <= over: modulus[over: r]
            let turn[over] = sum r where r <= over: angle[over: r]
            let p[over] = p + size * (cos(turn) * start[parts: 0] - sin(turn) * start[parts: 1])
            let q[over] = q + size * (sin(turn) * start[parts: 0] + cos(turn) * start[parts: 1])"""
_COMPLEX_RESULT = """
            let h[over, parts] = where(parts == 0, p, q)"""


@final
class LinearRecurrence(Operation):
    """h[t] = a[t] * h[t - 1] + b[t] along the axis `over`, from h = `start` before the first position, 0 where there is
    no third operand: the sum over s <= t of b[s] times the product of a from s + 1 to t.

    `parts` names an axis of two positions, the real and the imaginary part, where the numbers are complex.
    """

    word = "linear_recurrence"
    variadic = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample(
            "a: real[t, d: 3], b: real[batch, t, d: 3]", "linear_recurrence(a, b, over = t)", "real[batch, t, d: 3]"
        ),
        Sample(
            "a: real[t], b: real[t, batch], h: real[batch]", "linear_recurrence(a, b, h, over = t)", "real[t, batch]"
        ),
        Sample("a: real[batch, t: 5, d], b: real[t: 5]", "linear_recurrence(a, b, over = t)", "real[batch, t: 5, d]"),
        Sample(
            "a: real[t, d, c: 2], b: real[batch, t, d, c: 2]",
            "linear_recurrence(a, b, over = t, parts = c)",
            "real[batch, t, d, c: 2]",
        ),
        Sample(
            "a: real[c: 2, t], b: real[t, c: 2, batch], h: real[c: 2]",
            "linear_recurrence(a, b, h, over = t, parts = c)",
            "real[t, c: 2, batch]",
        ),
        Sample("a: real[d], b: real[t, d]", "linear_recurrence(a, b, over = t)", code="E0301"),
        Sample("a: real[t: 4], b: real[t: 5]", "linear_recurrence(a, b, over = t)", code="E0312"),
        Sample("a: real[t, c: 3], b: real[t, c: 3]", "linear_recurrence(a, b, over = t, parts = c)", code="E0321"),
    )
    over: OneAxis
    parts: Axes = ()

    def meaning(self, arity: int) -> str:
        parts = "parts" if self.parts else ""
        own = "over, parts" if self.parts else "over"
        two = " where size(parts) == 2" if self.parts else ""
        start = f", start: real[{parts}]" if arity > 2 else ""
        if self.parts:
            body = _COMPLEX + (_COMPLEX_START if start else "") + _COMPLEX_RESULT
        else:
            body = _REAL + (_REAL_START if start else "")
        return f"""(a: real[{own}], b: real[{own}]{start}) -> (h: real[{own}]){two} {{
            {body}
            return h
        }}"""

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        # for every entry a step is joined to the next and a state taken over one: 5 operations, or 22 on pairs of reals
        entries = {name: size for type in operands for name, size in type.sizes.items()}
        return (Size.of(11 if self.parts else 5), *entries.values())

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        a, b, *start = to.operands
        own = tuple(axis.name for axis in self.parts)
        longest = max((b, a, *start), key=lambda one: len(one.axes))
        union = dict.fromkeys(name for one in (*start, a, b) for name in one.axes if name not in longest.axes)
        inner = tuple(name for name in (*union, *longest.axes) if name not in own)
        axes = (*inner, *own)
        dim = inner.index(self.over[0].name) - len(inner)
        texts = [to.align(one, axes) for one in (a, to.spread(b, axes))]
        texts += [str(dim), *(to.align(one, axes) for one in start)]
        name = to.routine(COMPLEX_RECURRENCE if self.parts else RECURRENCE)
        return (Lowered(f"{name}({', '.join(texts)})", axes),)
