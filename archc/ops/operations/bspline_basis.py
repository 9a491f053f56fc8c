"""The B-spline basis on a uniform grid."""

from __future__ import annotations

from math import comb, factorial
from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.operation import Fresh, NewAxis, Operation, Sample
from archc.types.size import Size


@final
class BsplineBasis(Operation):
    """The `grid + order` B-splines of an order over `grid` equal intervals of [low, high], along the new axis `axis`.

    With h = (high - low) / grid, spline m is beta((x - low) / h + order - m), where beta is the cardinal B-spline on
    [0, order + 1]; in its symmetric form with u = order + 1 halved and s = u - |distance from its centre|,
    beta = sum_j (-1)^j C(order + 1, j) max(s - j, 0)^order / order!, j < u (Schoenberg 1946). That is Cox-de Boor's
    recursion on the knots low + (m - order) h, exactly 0 outside a spline's own support, and sums to 1 on [low, high].
    """

    word = "bspline_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "bspline_basis(x, axis = m)", "real[batch, d, m: 8]"),
        Sample(
            "x: real[batch]",
            "bspline_basis(1 + 2 * x, axis = m, grid = 4, order = 2, low = 0, high = 2)",
            "real[batch, m: 6]",
        ),
        Sample("x: real[batch]", "bspline_basis(x, grid = 3, order = 1)", "real[batch, m: 4]"),
        Sample("x: real[batch, m]", "bspline_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "bspline_basis(x, axis = m, grid = 0)", code="E0321"),
    )
    axis: NewAxis = (Fresh("m"),)
    grid: Size = Size.of(5)
    order: Annotated[int, Field(ge=1, le=9)] = 3
    low: float = -1.0
    high: float = 1.0

    def meaning(self, arity: int) -> str:
        k = self.order
        terms = []
        for j in range((k + 2) // 2):
            reach = f"relu(s - {j})" if j else "relu(s)"
            power = f"{reach} ^ {k}" if k > 1 else reach
            terms.append(power if j == 0 else f"{comb(k + 1, j)} * {power}")
        signed = terms[0] + "".join(f" {'-+'[j % 2 == 0]} {term}" for j, term in enumerate(terms) if j)
        divided = f"({signed}) / {factorial(k)}" if k > 1 else signed
        centre = f"(axis - {(k - 1) / 2})" if k > 1 else "axis"
        return f"""(x: real[]) -> (y: real[axis: grid + order])
            where grid >= 1
        {{
            let s[axis: grid + order] = {(k + 1) / 2} - abs((x - low) * (grid / (high - low)) - {centre})
            return {divided}
        }}"""
