"""Chebyshev's polynomials of the first kind."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Sample
from archc.ops.recurrence import ThreeTerm


@final
class ChebyshevBasis(ThreeTerm):
    """T_0(x), ..., T_degree(x) along the new axis `axis`, by T_0 = 1, T_1 = x, T_m = 2 x T_(m-1) - T_(m-2).

    The recurrence holds for every x, where cos(m acos(x)) asks for |x| <= 1 and has an infinite slope at both ends.
    """

    word = "chebyshev_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "chebyshev_basis(x, axis = m)", "real[batch, d, m: 5]"),
        Sample("x: real[batch]", "chebyshev_basis(1.5 * x, axis = k, degree = 7)", "real[batch, k: 8]"),
        Sample("x: real[batch]", "chebyshev_basis(x, degree = 1)", "real[batch, m: 2]"),
        Sample("x: real[batch, d]", "chebyshev_basis(x, degree = 3, first = 1)", "real[batch, d, m: 3]"),
        Sample("x: real[batch, m]", "chebyshev_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "chebyshev_basis(x, degree = 0)", code="E0204"),
    )

    def terms(self, m: int) -> tuple[float, float, float]:
        return (1 if m == 1 else 2), 0, 1
