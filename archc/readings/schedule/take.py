"""Entries at computed positions: the reading that is right for every index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archc.formula.tree import Formula, Read
from archc.readings.schedule.tensor import Laid, Take
from archc.readings.schedule.trace import merged_axes
from archc.types.size import Condition, Size

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation


def take(at: Evaluation, part: Laid, irregular: Mapping[str, Formula], outside: Formula | None) -> Laid:
    """`part` at index tensors along its `irregular` axes, and `outside` where an index is beyond its axis."""
    if not irregular:
        return part
    trace = at.scope.trace
    indices = {axis: at.value(formula) for axis, formula in irregular.items()}
    indices = {axis: _as_tensor(at, index) for axis, index in indices.items()}
    inside: list[Laid] = []
    if outside is not None:
        for axis, index in indices.items():
            size = part.size(axis)
            if not points_into(at, irregular[axis], size):
                inside.append(_within(at, index, size))
                low = trace.map("maximum", [index, trace.number(0)])
                indices[axis] = trace.map("minimum", [low, trace.extent(size - 1)])
    result = taken(at, part, indices)
    if outside is None or not inside:
        return result
    valid = inside[0] if len(inside) == 1 else trace.map("and", inside)
    return trace.map("where", [valid, result, at.value(outside, real=result.tensor.kind == "real")], prefer=at.prefer)


def _as_tensor(at: Evaluation, index: Laid) -> Laid:
    return at.scope.trace.expanded(index, (), {}) if index.tensor.scalar else index


def points_into(at: Evaluation, pointer: Formula, size: Size) -> bool:
    """Whether every value of the pointer is a position on an axis of this size."""
    if not isinstance(pointer, Read) or pointer.outside is not None:
        return False
    kind = at.scope.types[pointer.value].kind
    if kind.word != "index":
        return False
    count = kind.size if kind.size is not None else Size.symbol(str(kind.axis))
    return at.scope.facts.prove(Condition("<=", count, size)) is True


def _within(at: Evaluation, index: Laid, size: Size) -> Laid:
    trace = at.scope.trace
    low = trace.map("ge", [index, trace.number(0)])
    return trace.map("and", [low, trace.map("lt", [index, trace.extent(size)])])


def taken(at: Evaluation, part: Laid, indices: Mapping[str, Laid]) -> Laid:
    """The entries of `part` at the positions that `indices` give, by axis."""
    trace = at.scope.trace
    indices = dict(indices)
    needed = {axis for index in indices.values() for axis in index.axes}
    are_pointers = True
    for axis in part.axes:
        if axis in needed and axis not in indices:
            # the same position chooses the entry here and the index: both go together
            indices[axis] = trace.positions(axis, part.size(axis), real=False)
            are_pointers = False
    order = merged_axes([index.axes for index in indices.values()])
    plain = tuple(axis not in indices for axis in part.axes)
    dims = [dim for dim, is_plain in enumerate(plain) if not is_plain]
    are_neighbours = dims[-1] - dims[0] == len(dims) - 1
    if are_pointers and are_neighbours and len(dims) > 1 and part.tensor.kind in ("real", "complex"):
        # torch adds up the gradient of rows much faster than that of entries at several indices
        rows = [part.axes[dim] for dim in dims]
        name = "*".join(rows)
        flat = trace.merge(part, rows, name)
        numbers = trace.positions(name, flat.size(name), real=False)
        numbers = trace.divide(numbers, name, rows, [part.size(axis) for axis in rows])
        return taken(at, flat, {name: taken(at, numbers, indices)})
    place = dims[0] if are_neighbours else 0
    kept = [axis for axis in part.axes if axis not in indices]
    axes = (*kept[:place], *order, *kept[place:])
    sizes = {axis: index.size(axis) for index in indices.values() for axis in index.axes}
    sizes.update((axis, part.size(axis)) for axis in kept)
    operands = [part.tensor, *(trace.aligned(indices[axis], order) for axis in part.axes if axis in indices)]
    return trace.make(Take(plain, place), operands, (sizes[axis] for axis in axes), part.tensor.kind, axes)
