"""Running sums."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.cumulative import Cumulative
from archc.ops.operation import Sample


@final
class Cumsum(Cumulative):
    """The sum of the entries up to every position of the axis `over`, its own included."""

    word = "cumsum"
    reduction = "sum"
    call = "cumsum"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 5]", "cumsum(x, over = t)", "real[batch, t: 5]"),
        Sample("x: real[t, d: 3]", "x |> cumsum(over = t)", "real[t, d: 3]"),
        Sample("x: real[batch, t: 5]", "cumsum(x, over = s)", code="E0301"),
        Sample("x: real[h: 2, w: 3]", "cumsum(x, over = (h, w))", code="E0204"),
    )
