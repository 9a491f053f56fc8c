"""Radial bumps on a grid."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from archc.ops.operation import Fresh, NewAxis, Operation, Sample
from archc.types.size import Size


@final
class RbfBasis(Operation):
    """`count` bumps along the new axis `axis`, bump((x - g_m) / d): their centres g_m run from low to high at equal
    steps d, and each is as wide as a step. `gaussian` is exp(-z^2) (Broomhead and Lowe 1988; FastKAN, Li, arXiv
    2405.06721), `sech` is 1 / cosh(z)."""

    word = "rbf_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "rbf_basis(x, axis = m)", "real[batch, d, m: 8]"),
        Sample(
            "x: real[batch]",
            "rbf_basis(2 * x, axis = k, count = 5, low = -1, high = 3, bump = sech)",
            "real[batch, k: 5]",
        ),
        Sample("x: real[batch, m]", "rbf_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "rbf_basis(x, count = 1)", code="E0321"),
    )
    axis: NewAxis = (Fresh("m"),)
    count: Size = Size.of(8)
    low: float = -2.0
    high: float = 2.0
    bump: Literal["gaussian", "sech"] = "gaussian"

    def meaning(self, arity: int) -> str:
        return f"""(x: real[]) -> (y: real[axis: count])
            where count >= 2
        {{
            let y[axis: count] = {self.bump}((x - low) * ((count - 1) / (high - low)) - axis)
            return y
        }}"""
