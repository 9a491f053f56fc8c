"""The discrete Fourier transform of complex values."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.dft import FFTN
from archc.ops.fourier import Transform
from archc.ops.operation import Axes, Sample


@final
class Fft(Transform):
    """`fft(z, t -> k, axis = part)`: sum t: z e^(-2 pi i k t / n) for k = 0 ... n - 1, of a value whose real and
    imaginary parts lie along `part`; of several axes for `(h, w) -> (p, q)`. `modes = m` keeps -m ... m - 1 of each."""

    word = "fft"
    routine = FFTN
    is_real = False
    is_inverse = False
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("z: real[batch, t: 6, part: 2]", "fft(z, t -> k, axis = part)", "real[batch, k: 6, part: 2]"),
        Sample("z: real[batch, t: 6, part: 2]", "fft(z, t -> t, axis = part)", "real[batch, t: 6, part: 2]"),
        Sample("z: real[a: 2, h: 3, c, w: 4]", "fft(z, (h, w) -> (p, q), axis = a)", "real[a: 2, p: 3, c, q: 4]"),
        Sample("z: real[c, t: 7, a: 2]", "fft(z, t -> k, axis = a, modes = 3)", "real[c, k: 6, a: 2]"),
        Sample("z: real[t: 5, part: 2]", "fft(z, t -> k, axis = part, modes = 3)", code="E0321"),
        Sample("z: real[t: 5, part: 3]", "fft(z, t -> k, axis = part)", code="E0312"),
    )
    axis: Axes
