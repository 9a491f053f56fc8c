"""The contraction of two tensors: linear, `@`, a 1x1 convolution or einsum, whichever the layouts make natural."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from archc.readings.schedule.tensor import Conv, Einsum, Insert, Laid, Linear, Matmul
from archc.readings.schedule.trace import Trace
from archc.types.size import Size

NO_RANKS: Mapping[str, int] = MappingProxyType({})
ONE = Size.of(1)
ZERO = Size.of(0)


def contract_pair(
    trace: Trace,
    x: Laid,
    y: Laid,
    reduced: Sequence[str],
    prefer: Sequence[str] = (),
    ranks: Mapping[str, int] = NO_RANKS,
) -> Laid:
    """The sum over `reduced`, axes of both, of the product; its order of axes follows `prefer` where it is free, and
    among those of one factor their `ranks`."""
    shared = [axis for axis in x.axes if axis in y.axes and axis not in reduced]
    only_x = [axis for axis in x.axes if axis not in y.axes]
    only_y = [axis for axis in y.axes if axis not in x.axes]
    if not reduced or not (only_x or only_y):
        whole = trace.map("mul", [x, y], prefer=prefer)
        return trace.fold("sum", whole, reduced) if reduced else whole
    if x.tensor.learned and not y.tensor.learned:
        x, y, only_x, only_y = y, x, only_y, only_x
    if y.tensor.learned and not x.tensor.learned and not shared and only_x:
        found = _linear(trace, x, y, only_y)
    else:
        found = _matmul(trace, x, y, shared, reduced) or _matmul(trace, y, x, shared, reduced)
    if found is not None and (y.tensor.learned or _is_in_order(found.axes, prefer)):
        return found
    only_x, only_y = (sorted(only, key=lambda axis: ranks.get(axis, 0)) for only in (only_x, only_y))
    return _einsum(trace, x, y, [*shared, *only_x, *only_y], prefer)


def _is_in_order(axes: Sequence[str], prefer: Sequence[str]) -> bool:
    """Whether the order of axes agrees with the preferred one, as far as that says anything."""
    known = [axis for axis in axes if axis in prefer]
    return known == sorted(known, key=list(prefer).index)


def _linear(trace: Trace, x: Laid, w: Laid, out: Sequence[str]) -> Laid | None:
    """A learned w[out..., in...] applied to x; the output axes stand where the input axes were, or last."""
    ins = _as_they_stand(x.axes, [axis for axis in w.axes if axis not in out])
    sizes = [w.size(axis) for axis in out]
    if not out:
        if list(x.axes[-len(ins) :]) != ins:
            return None
        x, w = trace.merge(x, ins, "*".join(ins)), trace.merge(w, ins, "*".join(ins))
        return trace.make(Matmul(), (x, w), x.tensor.shape[:-1], _kind(x, w), x.axes[:-1])
    in_first = len(ins) == len(out) == 1 and w.axes[0] == ins[0] and x.axes[-1] == ins[0]
    w = trace.permuted(w, [*ins, *out] if in_first else [*out, *ins])
    if not _has_run(x.axes, ins):
        x = trace.last(x, ins)
    source, target = "*".join(ins), "*".join(out)
    x, w = trace.merge(x, ins, source), trace.merge(trace.merge(w, out, target), ins, source)
    place = x.dim(source)
    shape = [*x.tensor.shape]
    shape[place] = w.size(target)
    axes = [target if axis == source else axis for axis in x.axes]
    if place == len(axes) - 1:
        step = Matmul() if in_first else Linear()
        found = trace.make(step, (x, w), shape, _kind(x, w), axes)
    else:
        found = _along_the_middle(trace, x, w, place, shape, axes)
    return trace.divide(found, target, out, sizes)


def _along_the_middle(trace: Trace, x: Laid, w: Laid, place: int, shape: Sequence[Size], axes: Sequence[str]) -> Laid:
    """A matrix along a dimension that others follow: a 1x1 convolution for channels of a grid, `w @ x` otherwise."""
    behind = len(axes) - place - 1
    if place == 1 and behind in (2, 3) and x.tensor.kind == "real":
        kernel = trace.make(
            Insert(tuple(range(2, 2 + behind))),
            (w,),
            (*w.tensor.shape, *(ONE,) * behind),
            w.tensor.kind,
            (*w.axes, *axes[2:]),
        )
        ones, zeros = (ONE,) * behind, (ZERO,) * behind
        return trace.make(Conv(behind, ones, zeros, ones, ONE), (x, kernel), shape, "real", axes)
    if behind == 1:
        return trace.make(Matmul(), (w, x), shape, _kind(x, w), axes)
    tail, sizes = axes[place + 1 :], shape[place + 1 :]
    name = "*".join(tail)
    flat = trace.merge(x, tail, name)
    lengths = (*shape[: place + 1], flat.size(name))
    mixed = trace.make(Matmul(), (w, flat), lengths, _kind(x, w), (*axes[: place + 1], name))
    return trace.divide(mixed, name, tail, sizes)


def _as_they_stand(axes: Sequence[str], part: Sequence[str]) -> list[str]:
    """The axes of `part` in the order in which they are neighbours in `axes`, in their own where they are not: a weight
    is mostly smaller than what it is applied to, and so is permuted in its place."""
    start = min(axes.index(axis) for axis in part)
    found = list(axes[start : start + len(part)])
    return found if set(found) == set(part) else list(part)


def _has_run(axes: Sequence[str], part: Sequence[str]) -> bool:
    """Whether `part` stands in `axes`, neighbours in this order."""
    start = axes.index(part[0])
    return list(axes[start : start + len(part)]) == list(part)


def _matmul(trace: Trace, x: Laid, y: Laid, shared: Sequence[str], reduced: Sequence[str]) -> Laid | None:
    """`x @ y`, or `x @ y.mT`, where the layouts are those of matrices already."""
    if len(reduced) != 1 or not x.axes or x.axes[-1] != reduced[0]:
        return None
    (inner,) = reduced
    kind = _kind(x, y)
    if y.axes == (inner,):
        return trace.make(Matmul(), (x, y), x.tensor.shape[:-1], kind, x.axes[:-1]) if len(x.axes) > 1 else None
    if inner not in y.axes[-2:] or len(x.axes) < 2:
        return None
    batch = y.axes[:-2]
    if list(batch) != list(shared) or (shared and list(x.axes[:-2]) != list(shared)):
        return None
    if y.axes[-1] == inner:
        y = trace.permuted(y, [*batch, inner, y.axes[-2]])
    axes = (*x.axes[:-1], y.axes[-1])
    return trace.make(Matmul(), (x, y), (*x.tensor.shape[:-1], y.tensor.shape[-1]), kind, axes)


def _einsum(trace: Trace, x: Laid, y: Laid, kept: Sequence[str], prefer: Sequence[str]) -> Laid:
    axes = tuple(dict.fromkeys((*x.axes, *y.axes)))
    label = {axis: number for number, axis in enumerate(axes)}
    sizes = {axis: part.size(axis) for part in (x, y) for axis in part.axes}
    rank = {axis: place for place, axis in enumerate(prefer)}
    if all(axis in rank for axis in kept):
        kept = sorted(kept, key=rank.__getitem__)
    step = Einsum(
        (tuple(label[axis] for axis in x.axes), tuple(label[axis] for axis in y.axes)),
        tuple(label[axis] for axis in kept),
        axes,
    )
    return trace.make(step, (x, y), (sizes[axis] for axis in kept), _kind(x, y), kept)


def _kind(x: Laid, y: Laid) -> str:
    return "complex" if "complex" in (x.tensor.kind, y.tensor.kind) else "real"
