"""Merging several axes into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, NewAxes, Operation, Sample


@final
class Merge(Operation):
    """`merge((head, k) -> d)`: several axes as one whose size is their product, the last running fastest."""

    word = "merge"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, head: 2, k: 3]", "merge(x, (head, k) -> d)", "real[batch, d: 6]"),
        Sample("x: real[batch, head: 2, k: 3, n]", "merge(x, (head, k) -> d)", "real[batch, d: 6, n]"),
        Sample("x: real[c: 2, batch, h: 3, w: 2]", "x |> merge((h, w, c) -> d)", "real[batch, d: 12]"),
        Sample("x: real[batch, head: 2, k: 3]", "merge(x, (head, j) -> d)", code="E0301"),
        Sample("x: real[batch, head: 2, k: 3]", "merge(x, (head, k) -> d: 5)", code="E0312"),
    )
    source: Axes
    target: NewAxes

    @property
    def hypers(self) -> Mapping[str, Any]:
        return {"whole": self.target, **{f"part{at}": (axis,) for at, axis in enumerate(self.source)}}

    def meaning(self, arity: int) -> str:
        parts = [f"part{at}" for at in range(len(self.source))]
        indices = [f"{parts[0]}: {_over('whole', parts[1:])}"]
        indices += [
            f"{part}: ({_over('whole', parts[at + 1 :])}) % size({part})" for at, part in enumerate(parts) if at > 0
        ]
        size = " * ".join(f"size({part})" for part in parts)
        return f"""(x: real[{", ".join(parts)}]) -> (y: real[whole: {size}]) {{
            let y[whole: {size}] = x[{", ".join(indices)}]
            return y
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        names = [axis.name for axis in self.source]
        x = to.operands[0]
        first = x.axes.index(names[0])
        rest = x.axes[first + len(names) :]
        if x.axes != (*x.axes[:first], *names, *rest):
            x, rest = to.last(x, names), ()
        last = f", {to.dim(x, names[-1])}" if rest else ""
        axes = (*x.axes[: len(x.axes) - len(names) - len(rest)], self.target[0].name, *rest)
        return (Lowered(f"{x.text}.flatten({to.dim(x, names[0])}{last})", axes),)


def _over(position: str, parts: list[str]) -> str:
    """A position divided by the sizes of the parts that run faster."""
    for part in reversed(parts):
        position = f"{position} // size({part})"
    return position
