"""Powers, and powers from a knot on."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.operation import Fresh, NewAxis, Operation, Sample
from archc.types.size import Size


@final
class TruncatedPowerBasis(Operation):
    """1, x, ..., x^order, then max(x - t_n, 0)^order for the inner knots t_n = low + n h, n = 1, ..., grid - 1, of
    `grid` equal intervals of [low, high], along the new axis `axis`.

    They span the same splines as `bspline_basis` on [low, high] (Curry and Schoenberg 1966), are polynomials outside,
    and grow ill-conditioned with grid and order, where B-splines do not.
    """

    word = "truncated_power_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "truncated_power_basis(x, axis = m)", "real[batch, d, m: 8]"),
        Sample(
            "x: real[batch]",
            "truncated_power_basis(1 + 2 * x, axis = k, grid = 4, order = 2, low = 0, high = 2)",
            "real[batch, k: 6]",
        ),
        Sample("x: real[batch]", "truncated_power_basis(x, grid = 1, order = 1)", "real[batch, m: 2]"),
        Sample("x: real[batch, m]", "truncated_power_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "truncated_power_basis(x, axis = m, grid = 0)", code="E0321"),
    )
    axis: NewAxis = (Fresh("m"),)
    grid: Size = Size.of(5)
    order: Annotated[int, Field(ge=1, le=9)] = 3
    low: float = -1.0
    high: float = 1.0

    def meaning(self, arity: int) -> str:
        k = self.order
        knot = f"(axis - {k}) * ((high - low) / grid)"
        reach = f"relu(x - low - {knot})"
        chosen = f"{reach} ^ {k}" if k > 1 else reach
        for m in reversed(range(k + 1)):
            power = ("1", "x")[m] if m < 2 else f"x ^ {m}"
            chosen = f"where(axis == {m}, {power}, {chosen})"
        return f"""(x: real[]) -> (y: real[axis: grid + order])
            where grid >= 1
        {{
            let y[axis: grid + order] = {chosen}
            return y
        }}"""
