"""Which order of axes the users of a value would like, so that few permutations are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archc.formula.normal import product
from archc.formula.tree import Formula, Position, Read, Reduce, walk
from archc.ir.node import Call, Compute, Loop, Operate, Parameter, Region


def preferences(region: Region) -> dict[str, tuple[str, ...]]:
    """Order of axes by value: that of its type where it leaves the region or enters a call or loop, axes that a weight
    sums last where it enters a contraction, and what its reader prefers where it is read as it stands."""
    types = region.values
    learned = {node.result.name for node in region.nodes if isinstance(node, Parameter)}
    found: dict[str, tuple[str, ...]] = {}

    def want(name: str, axes: Sequence[str]) -> None:
        if name in types and name not in learned:
            found.setdefault(name, tuple(axes))

    for name in region.outputs:
        want(name, types[name].names if name in types else ())
    for node in reversed(region.nodes):
        match node:
            case Call() | Loop():
                for name in node.arguments:
                    want(name, types[name].names if name in types else ())
            case Operate() if node.operands and node.results[0].name in found:
                first = node.operands[0]
                if first in types and set(types[first].names) == set(node.results[0].type.names):
                    want(first, found[node.results[0].name])
            case Compute():
                for read, axes in _wishes(node.formula, found.get(node.result.name, ()), learned):
                    if read.value in types:
                        own = dict(zip(_positions(read), types[read.value].names, strict=True))
                        want(read.value, [own[axis] for axis in axes])
            case _:
                pass
    return {name: axes for name, axes in found.items() if axes}


def _wishes(formula: Formula, result: Sequence[str], learned: set[str]) -> Iterator[tuple[Read, Sequence[str]]]:
    """The readings along plain axes, each with the order of them that the formula would like."""
    for part in walk(formula):
        if isinstance(part, Reduce) and part.kind in ("sum", "mean") and part.condition is None:
            yield from _factors(part, result, learned)
    stack = [formula] if result else []
    while stack:
        part = stack.pop()
        if isinstance(part, Read) and part.value not in learned:
            yield from _ordered(part, result)
        if not isinstance(part, Reduce):
            stack.extend(reversed(part.children))


def _factors(formula: Reduce, result: Sequence[str], learned: set[str]) -> Iterator[tuple[Read, Sequence[str]]]:
    term = product(formula.body)
    bound = {axis.name for axis in (*formula.axes, *term.axes)}
    reads = [[part for part in walk(factor.formula) if isinstance(part, Read)] for factor in term.factors]
    weights = [own[0] for own in reads if len(own) == 1 and own[0].value in learned]
    if len(weights) != 1:
        return
    sums = [index.axis for index in weights[0].indices if isinstance(index, Position) and index.axis in bound]
    data = [part for own in reads for part in own if part.value not in learned]
    for part in data:
        # with other factors about, the axes that the weight sums come together only later
        if len(data) == 1 or set(sums) <= set(_positions(part)) - _shared(part, data):
            yield from _ordered(part, [*(axis for axis in result if axis not in sums), *sums], last=sums)


def _shared(read: Read, others: Sequence[Read]) -> set[str]:
    """Axes of a reading that other readings have too."""
    return {axis for other in others if other is not read for axis in _positions(other)}


def _ordered(read: Read, order: Sequence[str], last: Sequence[str] = ()) -> Iterator[tuple[Read, Sequence[str]]]:
    """The axes that are read: those `last` at the end, of the others those that `order` mentions in that order."""
    axes = _positions(read)
    if len(axes) == len(read.indices) == len(set(axes)):
        places = iter(sorted((axis for axis in axes if axis in order and axis not in last), key=list(order).index))
        ahead = [next(places) if axis in order else axis for axis in axes if axis not in last]
        yield read, (*ahead, *(axis for axis in order if axis in last and axis in axes))


def _positions(read: Read) -> list[str]:
    return [index.axis for index in read.indices if isinstance(index, Position)]
