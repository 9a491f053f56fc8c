"""The inverse of `rfft`."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.dft import IRFFTN
from archc.ops.fourier import Transform
from archc.ops.operation import Axes, Sample


@final
class Irfft(Transform):
    """`irfft(z, k -> t: n, axis = part)`: the real x with `rfft(x, t -> k, axis = part)` = z, where there is one:
    (1 / n) sum k: Re z e^(2 pi i k t / n) over all frequencies, those not given being conjugates of the given ones. Of
    several axes, `(p, q) -> (h: 4, w: 5)`, the last one is the halved one. With `modes = m` the given frequencies are
    0 ... m - 1 of the last axis and -m ... m - 1 of the others, and the rest is 0: on any grid the result has the
    values of one trigonometric polynomial.
    """

    word = "irfft"
    routine = IRFFTN
    is_real = True
    is_inverse = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("z: real[batch, k: 4, part: 2]", "irfft(z, k -> t: 6, axis = part)", "real[batch, t: 6]"),
        Sample("z: real[batch, t: 4, part: 2]", "irfft(z, t -> t: 6, axis = part)", "real[batch, t: 6]"),
        Sample("z: real[part: 2, k: 4, batch]", "irfft(z, k -> t: 7, axis = part)", "real[t: 7, batch]"),
        Sample(
            "z: real[p: 3, c, q: 3, part: 2]", "irfft(z, (p, q) -> (h: 3, w: 4), axis = part)", "real[h: 3, c, w: 4]"
        ),
        Sample("z: real[c, k: 3, part: 2]", "irfft(z, k -> t: 7, axis = part, modes = 3)", "real[c, t: 7]"),
        Sample(
            "z: real[p: 4, q: 2, a: 2, c]",
            "irfft(z, (p, q) -> (h: 4, w: 5), axis = a, modes = 2)",
            "real[h: 4, w: 5, c]",
        ),
        Sample("z: real[k: 4, part: 2]", "irfft(z, k -> t: 5, axis = part)", code="E0312"),
        Sample("z: real[k: 3, part: 2]", "irfft(z, k -> t: 4, axis = part, modes = 3)", code="E0321"),
        Sample("z: real[k: 3, part: 3]", "irfft(z, k -> t: 4, axis = part)", code="E0312"),
        Sample("z: real[k: 3, part: 2]", "irfft(z, k -> t: 4, axis = re)", code="E0301"),
    )
    axis: Axes
