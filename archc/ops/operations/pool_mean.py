"""Pooling a grid by the mean of each window."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Sample
from archc.ops.window import Pool


@final
class PoolMean(Pool):
    """The mean of each window of `size` positions along the axes `over`, one window every `stride` positions
    (by default `size`, so that they touch). What is left at the end of an axis, too short for a window, is dropped."""

    word = "pool_mean"
    reduction = "mean"
    call = "avg"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, c, h: 6, w: 4]", "pool_mean(x, over = (h, w), size = 2)", "real[batch, c, h: 3, w: 2]"),
        Sample("x: real[h: 7, c, w: 5]", "x |> pool_mean(over = (h, w), size = 3, stride = 2)", "real[h: 3, c, w: 2]"),
        Sample("x: real[a, b, t: 7, c]", "pool_mean(x, over = t, size = 3)", "real[a, b, t: 2, c]"),
        Sample("x: real[batch, t: 2]", "pool_mean(x, over = t, size = 3)", code="E0321"),
        Sample("x: real[batch, t: 6]", "pool_mean(x, over = s, size = 2)", code="E0301"),
    )
