"""What the bases of orthogonal polynomials share: three terms, each polynomial from the two before it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import Field

from archc.ops.expression import number
from archc.ops.operation import Fresh, Lowered, Lowering, NewAxis, Operation


class ThreeTerm(Operation):
    """P_first(x), ..., P_degree(x) along the new axis `axis`, by P_m = (a x + b) P_(m-1) - c P_(m-2), P_0 = 1 and
    P_(-1) = 0 (Favard 1935): it holds for every x, and its slope is finite wherever it is. `first = 1` leaves the
    constant P_0 to the bias of a layer."""

    axis: NewAxis = (Fresh("m"),)
    degree: Annotated[int, Field(ge=1, le=64)] = 4
    first: Annotated[int, Field(ge=0, le=1)] = 0

    @abstractmethod
    def terms(self, m: int) -> tuple[float, float, float]:
        """The factors a, b and c of the step to P_m, m = 1, 2, ...; c of the first is not read."""

    def meaning(self, arity: int) -> str:
        first, last = self.first, self.degree
        steps = (self._step(m, _line(*self.terms(m)[:2], "x"), f"t{m - 1}", f"t{m - 2}") for m in range(1, last + 1))
        lets = "".join(f"\n            let t{m} = {step}" for m, step in enumerate(steps, start=1))
        chosen = f"t{last}"
        for m in reversed(range(first, last)):
            chosen = f"where(axis == {m - first}, {f't{m}' if m else '1'}, {chosen})"
        return f"""(x: real[]) -> (y: real[axis: {last + 1 - first}]) {{{lets}
            let y[axis: {last + 1 - first}] = {chosen}
            return y
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        terms = ["1"]
        lines: dict[str, str] = {}
        for m in range(1, self.degree + 1):
            line = _line(*self.terms(m)[:2], x.text)
            if line != x.text and line not in lines:
                lines[line] = to.name("line", line, x.axes, x.type).text
            step = self._step(m, lines.get(line, line), terms[-1], terms[-2] if m > 1 else "")
            terms.append(step if m == 1 else to.name(f"t{m}", step, x.axes, x.type).text)
        if self.first == 0:
            terms[0] = f"torch.ones_like({x.text})"
        # before the last axis, so that each polynomial is written in one piece
        place = min(len(x.axes), 1)
        axes = (*x.axes[: len(x.axes) - place], self.axis[0].name, *x.axes[len(x.axes) - place :])
        return (Lowered(f"torch.stack(({', '.join(terms[self.first :])},), {-1 - place})", axes),)

    def _step(self, m: int, line: str, last: str, before: str) -> str:
        """P_m from the factor a x + b and the polynomials before it."""
        if m == 1:
            return line
        factor = number(self.terms(m)[2])
        rest = factor if m == 2 else before if factor == "1" else f"{factor} * {before}"
        return f"{line if line.isidentifier() else f'({line})'} * {last} - {rest}"


def _line(slope: float, shift: float, x: str) -> str:
    """The text of slope x + shift."""
    scaled = x if slope == 1 else f"{number(slope)} * {x}"
    return scaled if shift == 0 else f"{scaled} {'+' if shift > 0 else '-'} {number(abs(shift))}"
