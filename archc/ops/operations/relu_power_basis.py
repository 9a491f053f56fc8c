"""The bumps of ReLU-KAN."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.operation import Fresh, NewAxis, Operation, Sample
from archc.types.size import Size


@final
class ReluPowerBasis(Operation):
    """`grid + order` bumps along the new axis `axis`, each as wide as a B-spline of that order over `grid` equal
    intervals of [low, high], and 1 at its middle: (r relu(e_m - x) relu(x - s_m))^2 between the phases
    s_m = low + (m - order) h and e_m = s_m + (order + 1) h, with h = (high - low) / grid and r = 4 / ((order + 1) h)^2
    (Qiu et al., ReLU-KAN, arXiv 2406.02075, equation 5)."""

    word = "relu_power_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "relu_power_basis(x, axis = m)", "real[batch, d, m: 8]"),
        Sample(
            "x: real[batch]",
            "relu_power_basis(1 + 2 * x, axis = k, grid = 4, order = 2, low = 0, high = 2)",
            "real[batch, k: 6]",
        ),
        Sample("x: real[batch, m]", "relu_power_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "relu_power_basis(x, axis = m, grid = 0)", code="E0321"),
    )
    axis: NewAxis = (Fresh("m"),)
    grid: Size = Size.of(5)
    order: Annotated[int, Field(ge=1, le=9)] = 3
    low: float = 0.0
    high: float = 1.0

    def meaning(self, arity: int) -> str:
        width = self.order + 1
        return f"""(x: real[]) -> (y: real[axis: grid + order])
            where grid >= 1
        {{
            let u[axis: grid + order] = (x - low) * (grid / (high - low)) - (axis - {self.order})
            return ({4 / width**2} * relu({width} - u) * relu(u)) ^ 2
        }}"""
