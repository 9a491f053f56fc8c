"""Sums over sliding windows times a kernel, as convolutions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from archc.formula.normal import ONE, ZERO, Factor, congruences
from archc.formula.tree import Formula, Literal, Position, Read
from archc.readings.schedule.tensor import Conv, ConvTranspose, Laid, Pad, Select
from archc.readings.schedule.windows import Window, windows
from archc.types.size import Condition, Size

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation

_MOST = 3


@dataclass(frozen=True)
class _Layout:
    """The axes of a convolution by role: of the data alone, of both and kept, of both and summed, of the kernel."""

    batch: list[str]
    groups: list[str]
    inner: list[str]
    out: list[str]


def convolution(
    at: Evaluation, bound: Sequence[str], factors: Sequence[Factor], conditions: Sequence[Formula]
) -> tuple[Laid, list[Factor], list[str]] | None:
    """The convolution, or transposed convolution, that two of the factors make together where the conditions hold, the
    other factors, and the bound axes left."""
    parts = [congruences(condition) for condition in conditions]
    asked = [one for part in parts if part is not None for one in part]
    if None in parts:
        return None
    for place, factor in enumerate(factors):
        if factor.inverse or not isinstance(factor.formula, Read) or not at.scope.reads_real(factor.formula):
            continue
        slides = windows(at, set(bound), factor.formula, asked)
        if len({window.is_transposed for window in slides}) != 1:
            continue
        if len(asked) != sum(window.is_transposed and window.stride != ONE for window in slides):
            continue
        for other, kernel in enumerate(factors):
            if other == place or kernel.inverse:
                continue
            rest = [one for at_, one in enumerate(factors) if at_ not in (place, other)]
            if _fits(slides, factor.formula, kernel.formula, rest):
                needed = {axis for one in rest for axis in one.formula.free}
                summed = [axis for axis in bound if axis not in needed]
                summed = [axis for axis in summed if axis in factor.formula.free | kernel.formula.free]
                found = _convolved(at, slides, factor.formula, kernel.formula, summed)
                if found is not None:
                    return found, rest, [axis for axis in bound if axis not in summed]
    return None


def _fits(windows: Sequence[Window], read: Read, kernel: Formula, rest: Sequence[Factor]) -> bool:
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
    at: Evaluation, windows: Sequence[Window], read: Read, kernel: Formula, summed: Sequence[str]
) -> Laid | None:
    trace = at.scope.trace
    indices = list(read.indices)
    entries = [_entries(at, window, read) for window in windows]
    for window, entry in zip(windows, entries, strict=True):
        indices[window.place] = entry.index
    plain = replace(read, indices=tuple(indices), outside=read.outside if _reads_beyond(indices) else None)
    x, w = at.value(plain, real=True), at.value(kernel, real=True)
    space = [window.space for window in windows]
    if not set(space) <= set(x.axes) or "complex" in (x.tensor.kind, w.tensor.kind):
        return None
    taps = [window.tap for window in windows]
    if any(axis not in (*x.axes, *w.axes) for axis in summed) or not set(taps) <= set(w.axes):
        return None
    x = _presummed(at, x, [axis for axis in summed if axis not in w.axes])
    w = _presummed(at, w, [axis for axis in summed if axis not in x.axes and axis not in taps])
    layout = _layout(x, w, space, taps, summed)
    x = _arranged(at, x, [layout.batch, [*layout.groups, *layout.inner], *([one] for one in space)], bool(layout.batch))
    amounts = [(x.dim(one), *entry.around) for one, entry in zip(space, entries, strict=True) if entry.around]
    if amounts:
        shape = list(x.tensor.shape)
        for dim, left, right in amounts:
            shape[dim] = shape[dim] + left + right
        x = trace.make(Pad(tuple(amounts), None), (x,), shape, "real", x.axes)
    paddings = [entry.padding for entry in entries]
    if not windows[0].is_transposed:
        w = _arranged(at, w, [[*layout.groups, *layout.out], layout.inner, *([one] for one in taps)], True)
        return _divided(at, _applied(at, x, w, windows, paddings, layout), layout)
    w = _arranged(at, w, [[*layout.groups, *layout.inner], layout.out, *([one] for one in taps)], True)
    spread = _spread(at, x, w, windows, paddings, layout)
    return None if spread is None else _divided(at, spread, layout)


def _applied(
    at: Evaluation, x: Laid, w: Laid, windows: Sequence[Window], paddings: Sequence[Size], layout: _Layout
) -> Laid:
    """The convolution."""
    strides, dilations = tuple(one.stride for one in windows), tuple(one.dilation for one in windows)
    step = Conv(len(windows), strides, tuple(paddings), dilations, _count(at, layout.groups))
    lengths = [at.sizes[one.outer] for one in windows]
    return _made(at, step, x, w, lengths, windows, layout)


def _spread(
    at: Evaluation, x: Laid, w: Laid, windows: Sequence[Window], paddings: Sequence[Size], layout: _Layout
) -> Laid | None:
    """The transposed convolution, cut to the positions that are asked for; None where that may leave nothing."""
    wanted = [at.sizes[one.outer] for one in windows]
    whole = [one.stride * (x.size(one.space) - 1) + one.dilation * (at.sizes[one.tap] - 1) + 1 for one in windows]
    extra = [
        at.scope.facts.normal(length - (full - 2 * left))
        for length, full, left in zip(wanted, whole, paddings, strict=True)
    ]
    strides, dilations = tuple(one.stride for one in windows), tuple(one.dilation for one in windows)
    groups = _count(at, layout.groups)
    if all(_proves(at, ">=", one, ZERO) for one in (*paddings, *extra)) and all(
        _proves(at, "<", one, stride) for one, stride in zip(extra, strides, strict=True)
    ):
        step = ConvTranspose(len(windows), strides, tuple(paddings), tuple(extra), dilations, groups)
        return _made(at, step, x, w, wanted, windows, layout)
    for length, full, left in zip(wanted, whole, paddings, strict=True):
        if not (_proves(at, ">=", length + left, ZERO) and _proves(at, ">=", full - left, ZERO)):
            return None
    zeros = (ZERO,) * len(windows)
    step = ConvTranspose(len(windows), strides, zeros, zeros, dilations, groups)
    found = _made(at, step, x, w, whole, windows, layout)
    first = len(found.axes) - len(windows)
    amounts = tuple(
        (first + number, -left, length - full + left)
        for number, (left, length, full) in enumerate(zip(paddings, wanted, whole, strict=True))
    )
    shape = (*found.tensor.shape[:first], *wanted)
    return at.scope.trace.make(Pad(amounts, 0.0), (found,), shape, "real", found.axes)


def _made(
    at: Evaluation,
    step: Conv | ConvTranspose,
    x: Laid,
    w: Laid,
    lengths: Sequence[Size],
    windows: Sequence[Window],
    layout: _Layout,
) -> Laid:
    shape = [_count(at, [*layout.groups, *layout.out]), *lengths]
    axes = ["*".join([*layout.groups, *layout.out]), *(one.outer for one in windows)]
    if layout.batch:
        shape, axes = [x.tensor.shape[0], *shape], ["*".join(layout.batch), *axes]
    return at.scope.trace.make(step, (x, w), shape, "real", axes)


def _count(at: Evaluation, axes: Sequence[str]) -> Size:
    """The size of axes merged into one."""
    return prod((at.sizes[axis] for axis in axes), start=ONE)


def _divided(at: Evaluation, found: Laid, layout: _Layout) -> Laid:
    """The merged axes of a convolution apart again."""
    trace = at.scope.trace
    for parts in ([*layout.groups, *layout.out], layout.batch):
        name = "*".join(parts)
        if parts:
            found = trace.divide(found, name, parts, [at.sizes[axis] for axis in parts])
        elif name in found.axes:
            dim = found.dim(name)
            kept = [place for place in range(len(found.axes)) if place != dim]
            lengths = [found.tensor.shape[place] for place in kept]
            found = trace.make(Select(dim, ZERO), (found,), lengths, "real", [found.axes[place] for place in kept])
    return found


def _reads_beyond(indices: Iterable[Formula]) -> bool:
    return any(not isinstance(index, Position) for index in indices)


@dataclass(frozen=True)
class _Entries:
    """The index that reads the data once, the padding that the convolution adds (or a transposed one cuts), and the
    circular padding before it."""

    index: Formula
    padding: Size
    around: tuple[Size, Size] | None = None


def _entries(at: Evaluation, window: Window, read: Read) -> _Entries:
    size = at.scope.types[read.value].axes[window.place].size
    outer, tap = at.sizes[window.outer], at.sizes[window.tap]
    reach = window.dilation * (tap - 1)
    is_zero = isinstance(read.outside, Literal) and read.outside.value == 0
    whole = Position(window.space)
    at.sizes[window.space] = size
    if not window.is_transposed:
        first, last = window.offset, window.offset + window.stride * (outer - 1) + reach
        padding = ZERO
        outputs = (size - 2 * first - reach - 1) // window.stride + 1
        is_padded = first == ZERO or (is_zero and _proves(at, "<=", first, ZERO))
        if window.is_direct and is_padded and _proves(at, "==", outputs, outer):
            return _Entries(whole, -first)
    else:
        if window.is_direct and is_zero:
            return _Entries(whole, window.offset)
        first, last = -((reach - window.offset) // window.stride), (outer - 1 + window.offset) // window.stride
        padding = window.offset - window.stride * first
    left, right = -first, last + 1 - size
    if window.is_circular(size) and all(
        _proves(at, ">=", side, ZERO) and _proves(at, "<=", side, size) for side in (left, right)
    ):
        return _Entries(whole, padding, (left, right))
    # `~` names are never shared by two lengths: the cut or padded axis has its own
    at.sizes[window.space] = last + 1 - first
    return _Entries(window.read_at(first), padding)


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
