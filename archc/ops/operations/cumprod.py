"""Running products."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.cumulative import Cumulative
from archc.ops.operation import Sample


@final
class Cumprod(Cumulative):
    """The product of the entries up to every position of the axis `over`, its own included."""

    word = "cumprod"
    reduction = "prod"
    call = "cumprod"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 5]", "cumprod(x, over = t)", "real[batch, t: 5]"),
        Sample("x: real[t, d: 3]", "cumprod(1 + x / 2, over = t)", "real[t, d: 3]"),
        Sample("x: real[batch, t: 5]", "cumprod(x, over = s)", code="E0301"),
        Sample("x: real[batch, t: 5]", "cumprod(x, axis = t)", code="E0205"),
    )
