"""The position of the largest entry."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.extremal import Extremal
from archc.ops.operation import Sample


@final
class Argmax(Extremal):
    """The position of the largest entry along the axis `over`, the first of several: a pointer, of kind
    `index(over)`."""

    word = "argmax"
    reduction = "max"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "argmax(x, over = d)", "index(5)[batch]"),
        Sample("x: real[n, batch]", "round(2 * x) |> argmax(over = n)", "index(n)[batch]"),
        Sample("x: real[batch, n: 4, d]", "x[n: argmax(x, over = n)]", "real[batch, d]"),
        Sample("x: real[batch, d: 5]", "argmax(x, over = e)", code="E0301"),
        Sample("x: real[n: 4, d: 5]", "x[n: argmax(x, over = d)]", code="E0316"),
    )
