"""Hermite's polynomials."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Sample
from archc.ops.recurrence import ThreeTerm


@final
class HermiteBasis(ThreeTerm):
    """H_0(x), ..., H_degree(x) along the new axis `axis`, orthogonal under exp(-x^2) (the physicists' form):
    H_0 = 1, H_1 = 2 x, H_m = 2 x H_(m-1) - 2 (m - 1) H_(m-2) (Abramowitz and Stegun 22.7.13)."""

    word = "hermite_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "hermite_basis(x, axis = m)", "real[batch, d, m: 5]"),
        Sample("x: real[batch]", "hermite_basis(1.5 * x, axis = k, degree = 6)", "real[batch, k: 7]"),
        Sample("x: real[batch]", "hermite_basis(x, degree = 1)", "real[batch, m: 2]"),
        Sample("x: real[batch, d]", "hermite_basis(x, degree = 3, first = 1)", "real[batch, d, m: 3]"),
        Sample("x: real[batch, m]", "hermite_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "hermite_basis(x, degree = 0)", code="E0204"),
    )

    def terms(self, m: int) -> tuple[float, float, float]:
        return 2, 0, 2 * (m - 1)
