"""Reductions where a condition holds: masks, and scattering where the condition sends each entry to one place."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from archc.formula.normal import ONE, congruences
from archc.formula.rename import along
from archc.formula.tree import Apply, Formula, Position, Reduce
from archc.ops.registries import REDUCTIONS
from archc.readings.schedule.contract import sum_of
from archc.readings.schedule.take import points_into
from archc.readings.schedule.tensor import Laid, Scatter
from archc.types.tensor_type import Axis

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation

_SCATTERED = ("sum", "mean", "max", "min")


class _Target(NamedTuple):
    """`pointer == place`: the free axis that entries are sent along, and the rest of the condition."""

    place: str
    pointer: Formula
    rest: Formula | None


def reduce_where(at: Evaluation, formula: Reduce, real: bool) -> Laid:
    """A reduction over the entries where its condition holds."""
    target = _target(at, formula)
    if target is not None and formula.kind in _SCATTERED:
        return _scattered(at, formula, target, real)
    assert formula.condition is not None
    if formula.kind == "sum" and congruences(formula.condition) is not None:
        return sum_of(at, formula.axes, formula.body, real=real, condition=formula.condition)
    return _masked(at, formula.kind, formula.axes, formula.body, at.value(formula.condition), real)


def _masked(at: Evaluation, kind: str, axes: tuple[Axis, ...], body: Formula, mask: Laid, real: bool) -> Laid:
    trace = at.scope.trace
    if mask.tensor.scalar:
        mask = trace.expanded(mask, (), {})
    truth = kind in ("any", "all")
    if kind == "sum":
        return sum_of(at, axes, body, real=real, mask=mask)
    if kind == "mean":
        total = sum_of(at, axes, body, real=True, mask=mask)
        return trace.map("div", [trace.cast(total, "real"), _at_least_one(at, _count(at, axes, mask))])
    part = trace.map("where", [mask, at.value(body, real=real or not truth), _identity(at, kind)])
    return at.fold(kind, part, [axis.name for axis in axes])


def _identity(at: Evaluation, kind: str) -> Laid:
    value = REDUCTIONS[kind].identity
    return at.scope.trace.number(bool(value) if kind in ("any", "all") else float(value))


def _count(at: Evaluation, axes: tuple[Axis, ...], mask: Laid) -> Laid:
    """How many entries of the bound axes the mask lets through."""
    trace = at.scope.trace
    own = [axis.name for axis in axes if axis.name in mask.axes]
    whole = trace.cast(mask, "int")
    count = trace.fold("sum", whole, own) if own else whole
    others = prod((axis.size for axis in axes if axis.name not in own), start=ONE)
    return count if others == ONE else trace.map("mul", [count, trace.extent(others)])


def _target(at: Evaluation, formula: Reduce) -> _Target | None:
    bound = {axis.name for axis in formula.axes}
    parts = _conjuncts(formula.condition)
    for place, part in enumerate(parts):
        if not (isinstance(part, Apply) and part.function == "eq"):
            continue
        for pointer, axis in (part.operands, part.operands[::-1]):
            if (
                isinstance(axis, Position)
                and axis.axis not in bound
                and axis.axis not in pointer.free
                and not bound.isdisjoint(pointer.free)
                and points_into(at, pointer, at.sizes[axis.axis])
            ):
                rest = [*parts[:place], *parts[place + 1 :]]
                return _Target(axis.axis, pointer, _conjunction(rest, {axis.axis: pointer}))
    return None


def _conjuncts(condition: Formula | None) -> list[Formula]:
    if condition is None:
        return []
    if isinstance(condition, Apply) and condition.function == "and":
        return [part for operand in condition.operands for part in _conjuncts(operand)]
    return [condition]


def _conjunction(parts: list[Formula], indices: dict[str, Formula]) -> Formula | None:
    parts = [along(part, indices) for part in parts]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Apply("and", tuple(parts))


def _scattered(at: Evaluation, formula: Reduce, target: _Target, real: bool) -> Laid:
    trace = at.scope.trace
    body = along(formula.body, {target.place: target.pointer})
    index = at.value(target.pointer)
    carried = [axis for axis in formula.axes if axis.name in index.axes]
    others = tuple(axis for axis in formula.axes if axis.name not in index.axes)
    mask = None if target.rest is None else at.value(target.rest)
    if mask is not None and any(axis.name in mask.axes for axis in others):
        return _masked(at, formula.kind, formula.axes, formula.body, _whole_mask(at, formula), real)
    real = real or at.scope.reads_real(body)
    if formula.kind in ("sum", "mean"):
        part = sum_of(at, others, body, real=real) if others else at.value(body, real=real)
    else:
        part = at.value(body, real=real)
        part = at.fold(formula.kind, part, [axis.name for axis in others]) if others else part
    if formula.kind in ("max", "min"):
        part = trace.cast(part, "real")
        if mask is not None:
            part = trace.map("where", [mask, part, _identity(at, formula.kind)])
        return _scatter(at, formula.kind, part, index, carried, target.place)
    if mask is not None:
        zero = trace.number(0 if part.tensor.kind == "int" else 0.0)
        part = trace.map("where", [mask, part, zero])
    total = _scatter(at, "sum", part, index, carried, target.place)
    if formula.kind == "sum":
        return total
    ones = trace.number(1) if mask is None else trace.cast(mask, "int")
    count = _scatter(at, "sum", ones, index, carried, target.place)
    others_size = prod((axis.size for axis in others), start=ONE)
    if others_size != ONE:
        count = trace.map("mul", [count, trace.extent(others_size)])
    return trace.map("div", [trace.cast(total, "real"), _at_least_one(at, count)])


def _at_least_one(at: Evaluation, count: Laid) -> Laid:
    """The mean of nothing is 0, so its zero entries are divided by 1."""
    return at.scope.trace.map("maximum", [count, at.scope.trace.number(1)])


def _whole_mask(at: Evaluation, formula: Reduce) -> Laid:
    assert formula.condition is not None
    return at.value(formula.condition)


def _scatter(at: Evaluation, kind: str, part: Laid, index: Laid, carried: list[Axis], place: str) -> Laid:
    """Entries of `part` reduced at the places that `index` gives, the carried axes replaced by `place`."""
    trace = at.scope.trace
    names = [axis.name for axis in carried]
    batch = [axis for axis in index.axes if axis not in names]
    sizes = at.sizes | dict(zip(index.axes, index.tensor.shape, strict=True))
    missing = [axis for axis in index.axes if axis not in part.axes]
    if missing or part.tensor.scalar:
        part = trace.expanded(part, [*missing, *part.axes], sizes)
    if len(names) > 1:
        part, index = trace.last(part, names), trace.last(index, names)
        entry = "*".join(names)
        part, index = trace.merge(part, names, entry), trace.merge(index, names, entry)
    else:
        (entry,) = names
    # only sums have a call that takes one index for whole slices and is not in beta
    if batch or kind != "sum":
        full = trace.expanded(index, part.axes, dict(zip(part.axes, part.tensor.shape, strict=True)))
        index = full
    dim = part.dim(entry)
    size = at.sizes[place]
    shape = (*part.tensor.shape[:dim], size, *part.tensor.shape[dim + 1 :])
    axes = (*part.axes[:dim], place, *part.axes[dim + 1 :])
    step = Scatter(kind, dim, size, bool(batch) or kind != "sum")
    return trace.make(step, (index, part), shape, part.tensor.kind, axes)
