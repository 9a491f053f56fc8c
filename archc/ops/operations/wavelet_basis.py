"""Wavelets on dyadic grids."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, final

from pydantic import Field

from archc.ops.operation import Fresh, NewAxis, Operation, Sample
from archc.types.size import Size


@final
class WaveletBasis(Operation):
    """The wavelets mother((x - low) / h - k - 1/2), one in the middle of each of `grid` equal cells of [low, high],
    then of 2 `grid` cells, and so on for `levels` levels, along the new axis `axis`; h is the length of a cell
    (a frame, Daubechies 1992, section 3.3)."""

    word = "wavelet_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "wavelet_basis(x, axis = m)", "real[batch, d, m: 14]"),
        Sample(
            "x: real[batch]",
            "wavelet_basis(2 * x, axis = k, mother = morlet, grid = 3, levels = 2, low = -2, high = 2)",
            "real[batch, k: 9]",
        ),
        Sample("x: real[batch]", "wavelet_basis(x, mother = dog, levels = 1)", "real[batch, m: 2]"),
        Sample("x: real[batch, m]", "wavelet_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "wavelet_basis(x, mother = father)", code="E0208"),
    )
    axis: NewAxis = (Fresh("m"),)
    mother: Literal["mexican_hat", "morlet", "dog"] = "mexican_hat"
    grid: Size = Size.of(2)
    levels: Annotated[int, Field(ge=1, le=16)] = 3
    low: float = -1.0
    high: float = 1.0

    def meaning(self, arity: int) -> str:
        # level j begins at position grid (2^j - 1), and its cells are 2^j times as short
        steps = "".join(f" + where(axis >= {2**j - 1} * grid, {2 ** (j - 1)}, 0)" for j in range(1, self.levels))
        count = f"{2**self.levels - 1} * grid"
        return f"""(x: real[]) -> (y: real[axis: {count}])
            where grid >= 1
        {{
            let finer[axis: {count}] = 1{steps}
            let cell[axis: {count}] = axis - grid * (finer - 1)
            let z[axis: {count}] = (x - low) * (grid / (high - low)) * finer - cell - 0.5
            return {self.mother}(z)
        }}"""
