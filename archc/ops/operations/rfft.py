"""The discrete Fourier transform of real values."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.dft import RFFTN
from archc.ops.fourier import Transform
from archc.ops.operation import NewAxes, Sample


@final
class Rfft(Transform):
    """`rfft(x, t -> k, axis = part)`: sum t: x e^(-2 pi i k t / n) for k = 0 ... n // 2, the other frequencies
    being conjugates; real and imaginary part lie along the new axis. Of several axes, `(h, w) -> (p, q)`, the last one
    is halved. `modes = m` keeps 0 ... m - 1 of the last axis and -m ... m - 1 of the others.

    With two new axes, `axis = (part, turn)`, a number c is the matrix of z -> c z: `sum turn: z * c` multiplies.
    """

    word = "rfft"
    routine = RFFTN
    is_real = True
    is_inverse = False
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 6]", "rfft(x, t -> k, axis = part)", "real[batch, k: 4, part: 2]"),
        Sample("x: real[batch, t: 6]", "rfft(x, t -> t, axis = part)", "real[batch, t: 4, part: 2]"),
        Sample("x: real[t: 5, batch]", "rfft(x, t -> k, axis = part)", "real[k: 3, batch, part: 2]"),
        Sample("x: real[h: 3, c, w: 4]", "rfft(x, (h, w) -> (p, q), axis = a)", "real[p: 3, c, q: 3, a: 2]"),
        Sample("x: real[c, t: 7]", "rfft(x, t -> k, axis = part, modes = 3)", "real[c, k: 3, part: 2]"),
        Sample("x: real[h: 4, w: 5]", "rfft(x, (h, w) -> (p, q), axis = a, modes = 2)", "real[p: 4, q: 2, a: 2]"),
        Sample("x: real[t: 5]", "rfft(x, t -> k, axis = (a, b), modes = 2)", "real[k: 2, a: 2, b: 2]"),
        Sample("x: real[t: 4]", "rfft(x, t -> k, axis = (a, b))", "real[k: 3, a: 2, b: 2]"),
        Sample("x: real[t: 5]", "rfft(x, s -> k, axis = part)", code="E0301"),
        Sample("x: real[t: 5]", "rfft(x, t -> k: 5, axis = part)", code="E0312"),
        Sample("x: real[t: 5]", "rfft(x, t -> k, axis = part, modes = 4)", code="E0321"),
        Sample("x: real[h: 5, w: 4]", "rfft(x, (h, w) -> k, axis = part)", code="E0204"),
        Sample("x: real[t: 5]", "rfft(x, t -> k, axis = (a, b, c))", code="E0204"),
    )
    axis: Annotated[NewAxes, Field(max_length=2)]
