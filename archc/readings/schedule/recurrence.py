"""Linear recurrences, their steps joined in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archc.formula.tree import Position, Read, walk
from archc.ir.node import Compute, Scan
from archc.ops.joined import MATRIX_RECURRENCE, RECURRENCE, SMALL_MATRIX_RECURRENCE
from archc.readings.schedule.lowering import Text
from archc.readings.schedule.scope import Scope
from archc.readings.schedule.tensor import Laid
from archc.readings.schedule.trace import base_kind
from archc.types.size import Size

_SMALL = 4
"""Matrices of up to so many rows are multiplied entry by entry."""


def joined(scan: Scan, scope: Scope) -> list[Laid]:
    """The last state and all states of a scan that is a linear recurrence (see `Scan.is_joined`)."""
    state, slope, _ = scan.body.inputs
    found = _Joined(scan, scope, {**state.type.sizes, **slope.type.sizes, scan.axis.name: scan.axis.size})
    states = found.by_matrices() if len(slope.type.axes) > len(state.type.axes) else found.by_numbers()
    last = found.to.written(f"{states.tensor.placeholder}[-1]", states.axes[1:], state.type, "last")
    return [last, states]


class _Joined:
    def __init__(self, scan: Scan, scope: Scope, sizes: Mapping[str, Size]) -> None:
        self.scan, self.trace, self.sizes = scan, scope.trace, sizes
        self.over, self.state = scan.axis.name, scan.body.inputs[0]
        self.a, self.b, self.start = (
            scope.trace.cast(scope.values[name], base_kind(scope.types[name].kind.word))
            for name in (*scan.slices, *scan.initial)
        )
        used = {*self.a.axes, *self.b.axes, *self.start.axes}
        self.own = [axis for axis in self.state.type.names if axis in used]
        self.to = Text(scope.trace, (), (scan.results[1].type,))

    def by_numbers(self) -> Laid:
        """The states where every entry has a recurrence of its own."""
        axes = (self.over, *self.own)
        a, b = self.along(self.a, axes, ()), self.whole(self.b, axes)
        start = self.trace.aligned(self.start, self.own).placeholder
        call = f"{self.to.routine(RECURRENCE)}({a}, {b}, {-len(axes)}, {start})"
        return self.to.written(call, axes, self.to.results[0], "states")

    def by_matrices(self) -> Laid:
        """The states where entries mix along an axis: matrices on columns of what they do not depend on."""
        row, column = self.mixed()
        columns = [axis for axis in self.own if axis != row and axis not in self.a.axes][-1:]
        rest = [axis for axis in self.own if axis != row and axis not in columns]
        axes = (self.over, *rest, row, *columns)
        a = self.along(self.a, (self.over, *rest, row, column), (row, column))
        b = self.whole(self.b, axes)
        start = self.whole(self.start, axes[1:])
        if not columns:
            b, start = f"{b}.unsqueeze(-1)", f"{start}.unsqueeze(-1)"
        size = self.sizes[row].constant
        routine = SMALL_MATRIX_RECURRENCE if size is not None and size <= _SMALL else MATRIX_RECURRENCE
        states = f"{self.to.routine(routine)}({a}, {b}, {-len(rest) - 3}, {start})"
        return self.to.written(states if columns else f"{states}.squeeze(-1)", axes, self.to.results[0], "states")

    def mixed(self) -> tuple[str, str]:
        """The axis that a step mixes, and what it is called where the step reads it."""
        formulas = [node.formula for node in self.scan.body.nodes if isinstance(node, Compute)]
        reads = (part for part in walk(formulas[0]) if isinstance(part, Read) and part.value == self.state.name)
        pairs = zip(self.state.type.names, next(reads).indices, strict=True)
        return next((axis, at.axis) for axis, at in pairs if isinstance(at, Position) and at.axis != axis)

    def along(self, part: Laid, axes: Sequence[str], needed: Sequence[str]) -> str:
        """A part with the axes that are needed, of length 1 along others that it does not have."""
        own = [axis for axis in axes if axis in needed or axis in part.axes]
        return self.trace.aligned(self.trace.expanded(part, own, self.sizes), axes).placeholder

    def whole(self, part: Laid, axes: tuple[str, ...]) -> str:
        """A part over all of the axes."""
        return self.trace.expanded(part, axes, self.sizes).tensor.placeholder
