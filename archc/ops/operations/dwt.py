"""One step of the discrete wavelet transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from archc.ops.daubechies import Wavelet
from archc.ops.operation import NewAxes, Sample


@final
class Dwt(Wavelet):
    """The coefficients, on a grid half as fine along the axes `over`, of the scaling function and the wavelets of
    Daubechies with `order` vanishing moments (1: Haar's), on a periodic grid; they lie along the new axis `axis`, those
    of the scaling function first. An orthogonal map, whose inverse is `idwt`."""

    word = "dwt"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 6]", "dwt(x, over = t, axis = band)", "real[batch, t: 3, band: 2]"),
        Sample("x: real[h: 4, c, w: 6]", "dwt(x, over = (h, w), axis = a)", "real[h: 2, c, w: 3, a: 4]"),
        Sample("x: real[t: 2, c]", "dwt(x, over = t, axis = band, order = 3)", "real[t: 1, c, band: 2]"),
        Sample("x: real[h: 4, w: 8]", "dwt(x, over = (h, w), axis = a, order = 2)", "real[h: 2, w: 4, a: 4]"),
        Sample("x: real[t: 5]", "dwt(x, over = t, axis = band)", code="E0321"),
        Sample("x: real[t: 6]", "dwt(x, over = t, axis = band, order = 4)", code="E0204"),
    )
    axis: NewAxes

    @property
    def hypers(self) -> Mapping[str, Any]:
        return {**super().hypers, "axis": self.axis}

    def meaning(self, arity: int) -> str:
        rank = range(len(self.over))
        taps = ", ".join(f"tap{at} < {2 * self.order}" for at in rank)
        read = ", ".join(f"over{at}: (2 * over{at} + tap{at}) % size(over{at})" for at in rank)
        filters = " * ".join(self.filtered(at, f"tap{at}") for at in rank)
        return f"""(x: real[over]) -> (y: real[over: size(over) // 2, axis]) where size(over) % 2 == 0 {{
            let y[over: size(over) // 2, axis: {2 ** len(self.over)}] = sum {taps}: {filters} * x[{read}]
            return y
        }}"""
