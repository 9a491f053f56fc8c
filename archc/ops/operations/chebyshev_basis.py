"""Chebyshev's polynomials of the first kind."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.operation import Fresh, Lowered, Lowering, NewAxis, Operation, Sample


@final
class ChebyshevBasis(Operation):
    """T_0(x), ..., T_degree(x) along the new axis `axis`, by T_0 = 1, T_1 = x, T_m = 2 x T_(m-1) - T_(m-2).

    The recurrence holds for every x, where cos(m acos(x)) asks for |x| <= 1 and has an infinite slope at both ends.
    """

    word = "chebyshev_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "chebyshev_basis(x, axis = m)", "real[batch, d, m: 5]"),
        Sample("x: real[batch]", "chebyshev_basis(1.5 * x, axis = k, degree = 7)", "real[batch, k: 8]"),
        Sample("x: real[batch]", "chebyshev_basis(x, degree = 1)", "real[batch, m: 2]"),
        Sample("x: real[batch, m]", "chebyshev_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "chebyshev_basis(x, degree = 0)", code="E0204"),
    )
    axis: NewAxis = (Fresh("m"),)
    degree: Annotated[int, Field(ge=1, le=64)] = 4

    def meaning(self, arity: int) -> str:
        steps = "".join(f"\n            let t{m} = 2 * x * t{m - 1} - t{m - 2}" for m in range(2, self.degree + 1))
        chosen = f"t{self.degree}"
        for m in reversed(range(self.degree)):
            chosen = f"where(axis == {m}, t{m}, {chosen})"
        return f"""(x: real[]) -> (y: real[axis: {self.degree + 1}]) {{
            let t0 = 1
            let t1 = x{steps}
            let y[axis: {self.degree + 1}] = {chosen}
            return y
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        terms = [to.name("t0", f"torch.ones_like({x.text})", x.axes, x.type).text, x.text]
        if self.degree > 1:
            twice = to.name("twice", f"2 * {x.text}", x.axes, x.type).text
        for m in range(2, self.degree + 1):
            terms.append(to.name(f"t{m}", f"{twice} * {terms[-1]} - {terms[-2]}", x.axes, x.type).text)
        return (Lowered(f"torch.stack(({', '.join(terms)}), -1)", (*x.axes, self.axis[0].name)),)
