"""Jacobi's polynomials."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.operation import Sample
from archc.ops.recurrence import ThreeTerm


@final
class JacobiBasis(ThreeTerm):
    """P_0(x), ..., P_degree(x) along the new axis `axis`, orthogonal on [-1, 1] under (1 - x)^alpha (1 + x)^beta.

    Alpha = beta = 0 is Legendre, alpha = beta = -1/2 Chebyshev and alpha = beta = lambda - 1/2 Gegenbauer, up to a
    factor per degree. P_1 = ((alpha + beta + 2) x + alpha - beta) / 2, and with s = 2 m + alpha + beta
    2 m (m + alpha + beta) (s - 2) P_m = (s - 1) (s (s - 2) x + alpha^2 - beta^2) P_(m-1)
    - 2 (m + alpha - 1) (m + beta - 1) s P_(m-2) (Abramowitz and Stegun 22.7.1).
    """

    word = "jacobi_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "jacobi_basis(x, axis = m)", "real[batch, d, m: 5]"),
        Sample("x: real[batch]", "jacobi_basis(x, axis = k, degree = 6, alpha = -0.5, beta = 2)", "real[batch, k: 7]"),
        Sample("x: real[batch]", "jacobi_basis(x, degree = 1, alpha = 1.5)", "real[batch, m: 2]"),
        Sample("x: real[batch, d]", "jacobi_basis(x, degree = 3, first = 1)", "real[batch, d, m: 3]"),
        Sample("x: real[batch, m]", "jacobi_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "jacobi_basis(x, alpha = -1)", code="E0204"),
    )
    alpha: Annotated[float, Field(gt=-1)] = 0.0
    beta: Annotated[float, Field(gt=-1)] = 0.0

    def terms(self, m: int) -> tuple[float, float, float]:
        a, b = self.alpha, self.beta
        if m == 1:
            return (a + b + 2) / 2, (a - b) / 2, 0
        s = 2 * m + a + b
        whole = 2 * m * (m + a + b) * (s - 2)
        slope, shift = (s - 1) * s * (s - 2), (s - 1) * (a * a - b * b)
        return slope / whole, shift / whole, 2 * (m + a - 1) * (m + b - 1) * s / whole
