"""Splitting an axis into several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, NewAxes, Operation, Sample


@final
class Split(Operation):
    """`split(d -> (head: heads, k: size(d) // heads))`: one axis as several whose sizes multiply to its own, the last
    running fastest. The inverse of `merge`."""

    word = "split"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 6]", "split(x, d -> (head: 2, k: 3))", "real[batch, head: 2, k: 3]"),
        Sample("x: real[d: 12, batch]", "x |> split(d -> (a: 2, b: 3, c: 2))", "real[a: 2, b: 3, c: 2, batch]"),
        Sample("x: real[batch, d: 6]", "split(x, d -> (head: 4, k: 2))", code="E0321"),
        Sample("x: real[batch, d: 6]", "split(x, e -> (head: 2, k: 3))", code="E0301"),
    )
    source: Axes
    target: NewAxes

    @property
    def hypers(self) -> Mapping[str, Any]:
        return {"whole": self.source, **{f"part{at}": (axis,) for at, axis in enumerate(self.target)}}

    def meaning(self, arity: int) -> str:
        parts = [f"part{at}" for at in range(len(self.target))]
        position = parts[0]
        for part in parts[1:]:
            position = f"({position}) * size({part}) + {part}"
        return f"""(x: real[whole]) -> (y: real[{", ".join(parts)}])
            where size(whole) == {" * ".join(f"size({part})" for part in parts)}
        {{
            let y[{", ".join(parts)}] = x[whole: {position}]
            return y
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        (whole,) = self.source
        sizes = to.results[0].sizes
        shape = ", ".join(to.size(sizes[axis.name]) for axis in self.target)
        at = x.axes.index(whole.name)
        axes = (*x.axes[:at], *(axis.name for axis in self.target), *x.axes[at + 1 :])
        return (Lowered(f"{x.text}.unflatten({to.dim(x, whole.name)}, ({shape}))", axes),)
