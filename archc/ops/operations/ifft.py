"""The inverse of `fft`."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.dft import IFFTN
from archc.ops.fourier import Transform
from archc.ops.operation import Axes, Sample


@final
class Ifft(Transform):
    """`ifft(z, k -> t: n, axis = part)`: (1 / n) sum k: z e^(2 pi i k t / n), the inverse of `fft`. With `modes = m`
    the given frequencies are -m ... m - 1 of every axis and the rest is 0, whatever the size of the grid."""

    word = "ifft"
    routine = IFFTN
    is_real = False
    is_inverse = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("z: real[batch, k: 6, part: 2]", "ifft(z, k -> t: 6, axis = part)", "real[batch, t: 6, part: 2]"),
        Sample("z: real[a: 2, p: 3, c, q: 4]", "ifft(z, (p, q) -> (h, w), axis = a)", "real[a: 2, h: 3, c, w: 4]"),
        Sample("z: real[c, k: 6, a: 2]", "ifft(z, k -> t: 7, axis = a, modes = 3)", "real[c, t: 7, a: 2]"),
        Sample("z: real[k: 6, part: 2]", "ifft(z, k -> t: 5, axis = part, modes = 3)", code="E0321"),
        Sample("z: real[k: 5, part: 2]", "ifft(z, k -> t: 6, axis = part)", code="E0312"),
    )
    axis: Axes
