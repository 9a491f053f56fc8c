"""Where the points of a grid lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from archc.ops.operation import Axes, NewAxes, Operation, Sample


@final
class Coordinates(Operation):
    """The coordinates in [0, 1) of the points of a grid over the axes `over`, along the new axis `axis`: of point p of
    n, p / n. The operand gives the grid; its values do not matter."""

    word = "coordinates"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, h: 3, w: 4]", "coordinates(x, over = (h, w), axis = d)", "real[h: 3, w: 4, d: 2]"),
        Sample("x: real[n, c: 2]", "sum(x, over = c) * coordinates(x, over = n, axis = d)[d: 0]", "real[n]"),
        Sample("x: real[batch, h: 3]", "coordinates(x, over = w, axis = d)", code="E0301"),
        Sample("x: real[batch, h: 3]", "coordinates(x, over = h, axis = batch)", code="E0303"),
    )
    over: Axes
    axis: NewAxes

    @property
    def merges(self) -> bool:
        return True

    @property
    def hypers(self) -> Mapping[str, Any]:
        return {"over": self.over, "axis": self.axis, **{f"over{at}": (axis,) for at, axis in enumerate(self.over)}}

    def meaning(self, arity: int) -> str:
        last = len(self.over) - 1
        chosen = f"over{last} / size(over{last})"
        for at in reversed(range(last)):
            chosen = f"where(axis == {at}, over{at} / size(over{at}), {chosen})"
        return f"""(x: real[over]) -> (y: real[over, axis]) {{
            let y[over, axis: {last + 1}] = {chosen}
            return y
        }}"""
