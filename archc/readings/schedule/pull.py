"""Contracting before entries are gathered, where it takes less: W[r: rel] * x[n: src] summed over d is one matrix
product of all x with all W, of which every edge reads the row that it needs (Wu et al., Hector, arXiv 2301.06284)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from archc.readings.schedule.pair import contract_pair
from archc.readings.schedule.take import taken
from archc.readings.schedule.tensor import Laid, Take

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation

_MEMORY = 16
"""Multiplications in a matrix product that take as long as writing a number."""


class _Pulled(NamedTuple):
    """What a gathering reads: its source, and the index of each axis of that which is gathered."""

    source: Laid
    indices: dict[str, Laid]


def contracted_before(at: Evaluation, x: Laid, y: Laid, reduced: Sequence[str]) -> Laid | None:
    """The sum over `reduced` of x * y, gathered after it; None where that is not the same, or takes more.

    Only of two gatherings along a common axis: after those, no row of one meets two of the other in a matrix product.
    """
    left = _pulled(x, y.axes)
    right = None if left is None else _pulled(y, left.source.axes)
    if left is None or right is None or not reduced:
        return None
    gathered = [{axis for index in part.indices.values() for axis in index.axes} for part in (left, right)]
    sources = {*left.source.axes, *right.source.axes}
    if gathered[0].isdisjoint(gathered[1]) or not (gathered[0] | gathered[1]).isdisjoint((*sources, *reduced)):
        return None
    summed = prod(at.scope.estimate(x.size(axis)) for axis in reduced)
    late = _entries(at, x, y) + _MEMORY * (_entries(at, x) + _entries(at, y))
    products = _entries(at, left.source, right.source)
    early = products + _MEMORY * (products + _entries(at, x, y)) / summed
    if early >= late:
        return None
    found = contract_pair(at.scope.trace, left.source, right.source, reduced)
    return taken(at, found, left.indices | right.indices)


def _pulled(part: Laid, others: Sequence[str]) -> _Pulled | None:
    """The source of a gathering, its gathered axes under names that `others` do not have."""
    step = part.tensor.step
    if not isinstance(step, Take):
        return None
    source, *tensors = part.tensor.operands
    count = len(part.axes) - sum(step.plain)
    order = part.axes[step.place : step.place + count]
    kept = iter((*part.axes[: step.place], *part.axes[step.place + count :]))
    index = iter(tensors)
    names: list[str] = []
    indices: dict[str, Laid] = {}
    for hint, plain in zip(source.axes, step.plain, strict=True):
        if plain:
            names.append(next(kept))
            continue
        name = hint
        while name in (*part.axes, *others, *names):
            name += "_of"
        tensor = next(index)
        own = order[count - len(tensor.shape) :]
        if any(size != part.size(axis) for size, axis in zip(tensor.shape, own, strict=True)):
            return None  # laid out against other indices, with dimensions of length 1
        names.append(name)
        indices[name] = Laid(tensor, own)
    return _Pulled(Laid(source, tuple(names)), indices)


def _entries(at: Evaluation, *parts: Laid) -> float:
    """The number of combinations of all the axes."""
    sizes = {axis: part.size(axis) for part in parts for axis in part.axes}
    return prod(map(at.scope.estimate, sizes.values()))
