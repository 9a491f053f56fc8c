"""Coarsening a grid by leaving entries out."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample
from archc.types.size import Size


@final
class Downsample(Operation):
    """Every `factor`-th entry along each axis `over`, from the first on; `upsample` by the same factor is undone.
    `pool_mean` and `pool_max` take all entries into account."""

    word = "downsample"
    formula = """(x: real[over]) -> (y: real[over: (size(over) - 1) // factor + 1])
        where factor >= 1
    {
        let y[over: (size(over) - 1) // factor + 1] = x[over: factor * over]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 7]", "downsample(x, over = t, factor = 3)", "real[batch, t: 3]"),
        Sample("x: real[h: 4, c, w: 6]", "x |> downsample(over = (h, w))", "real[h: 2, c, w: 3]"),
        Sample("x: real[h, w]", "x |> upsample(over = (h, w)) |> downsample(over = (h, w))", "real[h, w]"),
        Sample("x: real[batch, t: 6]", "downsample(x, over = s)", code="E0301"),
        Sample("x: real[batch, t: 6]", "downsample(x, over = t, factor = 0)", code="E0321"),
    )
    over: Axes
    factor: Size = Size.of(2)

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        over = {axis.name for axis in self.over}
        first = min(x.axes.index(name) for name in over)
        items = [f"::{to.size(self.factor)}" if axis in over else ":" for axis in x.axes[first:]]
        return (Lowered(f"{x.text}[{', '.join(['...'] * (first > 0) + items)}]", x.axes),)
