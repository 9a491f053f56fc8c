"""One step of the inverse wavelet transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from archc.ops.daubechies import Wavelet
from archc.ops.operation import Axes, Sample


@final
class Idwt(Wavelet):
    """The inverse of `dwt`: the values, on a grid twice as fine along the axes `over`, whose wavelet coefficients lie
    along the axis `axis`."""

    word = "idwt"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("z: real[batch, t: 3, band: 2]", "idwt(z, over = t, axis = band)", "real[batch, t: 6]"),
        Sample("z: real[h: 2, c, a: 4, w: 3]", "idwt(z, over = (h, w), axis = a)", "real[h: 4, c, w: 6]"),
        Sample("z: real[t: 1, c, a: 2]", "idwt(z, over = t, axis = a, order = 3)", "real[t: 2, c]"),
        Sample("z: real[h: 2, w: 4, a: 4]", "idwt(z, over = (h, w), axis = a, order = 2)", "real[h: 4, w: 8]"),
        Sample("z: real[t: 3, band: 3]", "idwt(z, over = t, axis = band)", code="E0312"),
        Sample("z: real[t: 3, band: 2]", "idwt(z, over = t, axis = band, order = 0)", code="E0204"),
    )
    axis: Axes

    @property
    def hypers(self) -> Mapping[str, Any]:
        return {**super().hypers, "axis": self.axis}

    def meaning(self, arity: int) -> str:
        rank = range(len(self.over))
        steps = ", ".join(f"step{at} < {self.order}" for at in rank)
        read = ", ".join(f"over{at}: (over{at} // 2 - step{at}) % size(over{at})" for at in rank)
        filters = " * ".join(self.filtered(at, f"2 * step{at} + over{at} % 2") for at in rank)
        return f"""(z: real[over, axis: {2 ** len(self.over)}]) -> (x: real[over: 2 * size(over)]) {{
            let x[over: 2 * size(over)] = sum axis, {steps}: {filters} * z[{read}]
            return x
        }}"""
