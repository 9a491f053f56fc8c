"""Sums over sliding windows times a kernel, as convolutions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from archc.formula.normal import ONE, ZERO, Factor, affine, size_of
from archc.formula.tree import Apply, Formula, Literal, Position, Read, SizeValue
from archc.readings.schedule.tensor import Conv, Laid, Pad, Select
from archc.types.size import Condition, Size

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation

_MOST = 3


@dataclass(frozen=True)
class _Window:
    """x at stride * outer + dilation * tap + offset along its dimension `place`, around the end where `circular`."""

    place: int
    outer: str
    tap: str
    stride: Size
    dilation: Size
    offset: Size
    circular: bool


@dataclass(frozen=True)
class _Layout:
    """The axes of a convolution by role: of the data alone, of both and kept, of both and summed, of the kernel."""

    batch: list[str]
    groups: list[str]
    inner: list[str]
    out: list[str]


def convolution(
    at: Evaluation, bound: Sequence[str], factors: Sequence[Factor]
) -> tuple[Laid, list[Factor], list[str]] | None:
    """The convolution that two of the factors make together, the other factors, and the bound axes left."""
    for place, factor in enumerate(factors):
        if factor.inverse or not isinstance(factor.formula, Read) or not at.scope.reads_real(factor.formula):
            continue
        windows = _windows(at, bound, factor.formula)
        for other, kernel in enumerate(factors):
            if other == place or kernel.inverse:
                continue
            rest = [one for at_, one in enumerate(factors) if at_ not in (place, other)]
            if windows and _fits(windows, factor.formula, kernel.formula, rest):
                needed = {axis for one in rest for axis in one.formula.free}
                summed = [axis for axis in bound if axis not in needed]
                summed = [axis for axis in summed if axis in factor.formula.free | kernel.formula.free]
                found = _convolved(at, windows, factor.formula, kernel.formula, summed)
                if found is not None:
                    return found, rest, [axis for axis in bound if axis not in summed]
    return None


def _windows(at: Evaluation, bound: Sequence[str], read: Read) -> list[_Window]:
    sizes = [axis.size for axis in at.scope.types[read.value].axes]
    found: list[_Window] = []
    for place, index in enumerate(read.indices):
        circular = isinstance(index, Apply) and index.function == "mod" and size_of(index.operands[1]) == sizes[place]
        form = affine(index.operands[0] if circular and isinstance(index, Apply) else index)
        if form is None or len(form.factors) != 2:
            continue
        taps = [name for name in form.factors if name in bound]
        if len(taps) == 1 and all(_proves(at, ">", factor, ZERO) for factor in form.factors.values()):
            (tap,) = taps
            (outer,) = (name for name in form.factors if name != tap)
            found.append(_Window(place, outer, tap, form.factors[outer], form.factors[tap], form.offset, circular))
    return found


def _fits(windows: Sequence[_Window], read: Read, kernel: Formula, rest: Sequence[Factor]) -> bool:
    """Whether the windows' axes occur where a convolution has them and nowhere else."""
    taps, outers = {one.tap for one in windows}, {one.outer for one in windows}
    places = {one.place for one in windows}
    others = [index.free for place, index in enumerate(read.indices) if place not in places]
    return (
        len(windows) <= _MOST
        and len(taps) == len(outers) == len(windows)
        and taps <= kernel.free
        and outers.isdisjoint(kernel.free)
        and (read.outside is None or (isinstance(read.outside, Literal) and _are_plain(read, places)))
        and all(free.isdisjoint(taps | outers) for free in others)
        and all(factor.formula.free.isdisjoint(taps) for factor in rest)
    )


def _are_plain(read: Read, places: set[int]) -> bool:
    return all(isinstance(index, Position) for place, index in enumerate(read.indices) if place not in places)


def _convolved(
    at: Evaluation, windows: Sequence[_Window], read: Read, kernel: Formula, summed: Sequence[str]
) -> Laid | None:
    trace = at.scope.trace
    indices, paddings, around = list(read.indices), [], []
    for window in windows:
        index, padding, circular = _entries(at, window, read)
        indices[window.place] = index
        paddings.append(padding)
        around.append(circular)
    plain = replace(read, indices=tuple(indices), outside=read.outside if _reads_beyond(indices) else None)
    x, w = at.value(plain, real=True), at.value(kernel, real=True)
    space = [_space(window) for window in windows]
    if not set(space) <= set(x.axes) or "complex" in (x.tensor.kind, w.tensor.kind):
        return None
    taps = [window.tap for window in windows]
    if any(axis not in (*x.axes, *w.axes) for axis in summed) or not set(taps) <= set(w.axes):
        return None
    x = _presummed(at, x, [axis for axis in summed if axis not in w.axes])
    w = _presummed(at, w, [axis for axis in summed if axis not in x.axes and axis not in taps])
    layout = _layout(x, w, space, taps, summed)
    x = _arranged(at, x, [layout.batch, [*layout.groups, *layout.inner], *([one] for one in space)], bool(layout.batch))
    w = _arranged(at, w, [[*layout.groups, *layout.out], layout.inner, *([one] for one in taps)], True)
    amounts = [(x.dim(axis), *sides) for axis, sides in zip(space, around, strict=True) if sides is not None]
    if amounts:
        shape = list(x.tensor.shape)
        for dim, left, right in amounts:
            shape[dim] = shape[dim] + left + right
        x = trace.make(Pad(tuple(amounts), None), (x,), shape, "real", x.axes)
    return _applied(at, x, w, windows, paddings, layout)


def _applied(
    at: Evaluation, x: Laid, w: Laid, windows: Sequence[_Window], paddings: Sequence[Size], layout: _Layout
) -> Laid:
    """The convolution, its merged axes divided again."""
    groups = prod((at.sizes[axis] for axis in layout.groups), start=ONE)
    strides, dilations = tuple(one.stride for one in windows), tuple(one.dilation for one in windows)
    step = Conv(len(windows), strides, tuple(paddings), dilations, groups)
    outers = [one.outer for one in windows]
    shape = [w.tensor.shape[0], *(at.sizes[one] for one in outers)]
    channels, batch = "*".join([*layout.groups, *layout.out]), "*".join(layout.batch)
    axes = [channels, *outers]
    if layout.batch:
        shape, axes = [x.tensor.shape[0], *shape], [batch, *axes]
    trace = at.scope.trace
    found = trace.make(step, (x, w), shape, "real", axes)
    for name, parts in ((channels, [*layout.groups, *layout.out]), (batch, layout.batch)):
        if parts:
            found = trace.divide(found, name, parts, [at.sizes[axis] for axis in parts])
        elif name in found.axes:
            dim = found.dim(name)
            kept = [place for place in range(len(found.axes)) if place != dim]
            lengths = [found.tensor.shape[place] for place in kept]
            found = trace.make(Select(dim, ZERO), (found,), lengths, "real", [found.axes[place] for place in kept])
    return found


def _space(window: _Window) -> str:
    return f"~{window.outer}"


def _reads_beyond(indices: Iterable[Formula]) -> bool:
    return any(not isinstance(index, Position) for index in indices)


def _entries(at: Evaluation, window: _Window, read: Read) -> tuple[Formula, Size, tuple[Size, Size] | None]:
    """The index that reads the data once, the padding the convolution adds, and the circular padding before it."""
    size = at.scope.types[read.value].axes[window.place].size
    outer, tap = at.sizes[window.outer], at.sizes[window.tap]
    reach = window.dilation * (tap - 1)
    extent = window.stride * (outer - 1) + reach + 1
    left, right = -window.offset, window.offset + extent - size
    name = _space(window)
    whole = Position(name)
    at.sizes[name] = size
    if window.circular:
        if all(_proves(at, ">=", side, ZERO) and _proves(at, "<=", side, size) for side in (left, right)):
            return whole, ZERO, (left, right)
    else:
        zero = isinstance(read.outside, Literal) and read.outside.value == 0
        outputs = (size + 2 * left - reach - 1) // window.stride + 1
        if (left == ZERO or (zero and _proves(at, ">=", left, ZERO))) and _proves(at, "==", outputs, outer):
            return whole, left, None
    # `~` names are never shared by two lengths: the cut or padded axis has its own
    at.sizes[name] = extent
    index: Formula = Apply("add", (whole, SizeValue(window.offset)))
    return Apply("mod", (index, SizeValue(size))) if window.circular else index, ZERO, None


def _presummed(at: Evaluation, part: Laid, axes: Sequence[str]) -> Laid:
    own = [axis for axis in axes if axis in part.axes]
    return at.scope.trace.fold("sum", part, own) if own else part


def _layout(x: Laid, w: Laid, space: Sequence[str], taps: Sequence[str], summed: Sequence[str]) -> _Layout:
    shared = [axis for axis in w.axes if axis in x.axes]
    return _Layout(
        [axis for axis in x.axes if axis not in space and axis not in shared],
        [axis for axis in shared if axis not in summed],
        [axis for axis in shared if axis in summed],
        [axis for axis in w.axes if axis not in taps and axis not in shared],
    )


def _arranged(at: Evaluation, part: Laid, groups: Sequence[Sequence[str]], keep_first: bool) -> Laid:
    """The axes of each group as one dimension, a new one of length 1 for an empty group."""
    trace = at.scope.trace
    groups = groups if keep_first else groups[1:]
    part = trace.permuted(part, [axis for group in groups for axis in group])
    names: list[str] = []
    for place, group in enumerate(groups):
        name = group[0] if len(group) == 1 else "*".join(group) or f"~{place}"
        names.append(name)
        if len(group) > 1:
            part = trace.merge(part, group, name)
    missing = tuple(place for place, group in enumerate(groups) if not group)
    return trace.inserted(part, missing, names) if missing else part


def _proves(at: Evaluation, operator: str, left: Size, right: Size) -> bool:
    return at.scope.facts.prove(Condition(operator, left, right)) is True
