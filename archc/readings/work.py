"""The arithmetic that a formula costs when it is scheduled: every subexpression once, over the axes it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archc.formula.tree import Apply, Formula, Position, Read, Reduce, walk
from archc.ops.registries import POINTWISE
from archc.readings.amount import NOTHING, Amount
from archc.types.size import Size

Axes = frozenset[str]


@dataclass(frozen=True)
class Work:
    """One step of a schedule: `flops`, whether it is a contraction (a GEMM or a convolution), and how many numbers it
    leaves in memory beside the result of the node."""

    flops: Amount = NOTHING
    stored: Amount = NOTHING
    is_contraction: bool = False


def work(formula: Formula, sizes: Mapping[str, Size]) -> Iterator[Work]:
    """The steps that `formula` takes; `sizes` are those of its free axes.

    A sum of products is one contraction of 2 operations per combination of its axes, nested sums merged into it. A
    pointwise function costs its own `flops` per entry, another reduction one operation per entry. Index arithmetic is
    addressing and costs nothing, nor does what is known when the module is built.
    """
    scope = dict(sizes)
    for part in walk(formula):
        if isinstance(part, Reduce):
            scope.update((axis.name, axis.size) for axis in part.axes)
    schedule = _Schedule(scope, formula)
    seen: set[int] = set()
    stack = [formula]
    while stack:
        part = stack.pop()
        if id(part) in seen or not (part.free or part.reads):
            continue
        seen.add(id(part))
        if isinstance(part, Reduce) and part.kind == "sum":
            summed = _sum(part)
            yield from schedule.sum(part, summed)
            stack.extend(summed.factors)
            stack.extend(summed.masks)
        elif isinstance(part, Read):
            yield from schedule.read(part)
            stack.extend(() if part.outside is None else (part.outside,))
        else:
            yield from schedule.entrywise(part)
            stack.extend(part.children)


@dataclass(frozen=True)
class _Sum:
    """A sum of products: bound axes, factors, masks, and the axes that an equation with a pointer fixes."""

    bound: Axes
    factors: tuple[Formula, ...]
    masks: tuple[Formula, ...]
    targets: Axes


def _sum(formula: Reduce) -> _Sum:
    bound = {axis.name for axis in formula.axes}
    factors: list[Formula] = []
    stack = [formula.body]
    while stack:
        part = stack.pop()
        if isinstance(part, Apply) and part.function == "mul":
            stack.extend(reversed(part.operands))
        elif isinstance(part, Reduce) and part.kind == "sum" and part.condition is None:
            bound.update(axis.name for axis in part.axes)
            stack.append(part.body)
        else:
            factors.append(part)
    masks: list[Formula] = []
    targets: set[str] = set()
    for condition in _conjuncts(formula.condition):
        target = _target(condition, bound)
        if target is None:
            masks.append(condition)
        else:
            targets.add(target)
    return _Sum(frozenset(bound), tuple(factors), tuple(masks), frozenset(targets))


def _conjuncts(condition: Formula | None) -> Iterator[Formula]:
    stack = [] if condition is None else [condition]
    while stack:
        part = stack.pop()
        if isinstance(part, Apply) and part.function == "and":
            stack.extend(reversed(part.operands))
        else:
            yield part


def _target(condition: Formula, bound: set[str]) -> str | None:
    """The axis n of `pointer == n`, a sum that goes to where the pointer says."""
    if not (isinstance(condition, Apply) and condition.function == "eq"):
        return None
    left, right = condition.operands
    for position, pointer in ((left, right), (right, left)):
        if isinstance(position, Position) and position.axis not in bound and pointer.reads:
            return position.axis if position.axis not in pointer.free else None
    return None


@dataclass(frozen=True)
class _Schedule:
    scope: Mapping[str, Size]
    root: Formula

    def entries(self, axes: Axes, factor: int = 1) -> Amount:
        return Amount.of((self.scope[axis] for axis in sorted(axes)), factor)

    def entrywise(self, part: Formula) -> Iterator[Work]:
        """A pointwise function, or a reduction that is not a sum."""
        if isinstance(part, Apply):
            function = POINTWISE[part.function]
            times = 1 if function.arity is not None else len(part.operands) - 1
            yield Work(self.entries(part.free, function.flops * times))
        elif isinstance(part, Reduce):
            over = part.body.free | {axis.name for axis in part.axes}
            over |= frozenset() if part.condition is None else part.condition.free
            yield Work(self.entries(over), self.kept(part, part.free))

    def read(self, part: Read) -> Iterator[Work]:
        """A reading through a pointer is a copy; every other is a view."""
        if any(index.reads for index in part.indices):
            yield Work(stored=self.kept(part, part.free))

    def kept(self, part: Formula, axes: Axes) -> Amount:
        return NOTHING if part is self.root else self.entries(axes)

    def sum(self, part: Reduce, summed: _Sum) -> Iterator[Work]:
        """A contraction with what leads to it: masks, factors that stand before the sum, the addition to targets."""
        pointers = part.condition.free - summed.targets if part.condition is not None and summed.targets else Axes()
        inner = summed.bound - pointers if summed.targets else summed.bound
        factors = [factor.free for factor in summed.factors if factor.free]
        before = [axes for axes in factors if not axes & summed.bound]
        under = [axes for axes in factors if axes & summed.bound]
        under += [mask.free - summed.targets for mask in summed.masks]
        steps, left = self.product(under, inner)
        yield from steps
        if summed.targets:
            yield Work(self.entries(left))
        if before and under:
            yield Work(self.entries(part.free, len(before)))
        yield Work(stored=self.kept(part, part.free))

    def product(self, factors: Sequence[Axes], bound: Axes) -> tuple[list[Work], Axes]:
        """The steps that contract factor after factor, an axis summed as soon as no later factor has it, and the axes
        of what they leave."""
        if not factors:
            return [], Axes()
        (current, *rest), steps = self.absorb(factors)
        if not rest:
            return [*steps, Work(self.entries(current) if current & bound else NOTHING)], current - bound
        while rest:
            union = current | rest.pop(0)
            done = (union & bound) - Axes().union(*rest)
            steps.append(Work(self.entries(union, 2 if done else 1), is_contraction=bool(done)))
            current = union - done
        return steps, current

    def absorb(self, factors: Sequence[Axes]) -> tuple[list[Axes], list[Work]]:
        """Of more than two factors, one whose axes lie within another's is multiplied into it first."""
        kept = sorted(factors, key=len)
        steps: list[Work] = []
        while len(kept) > 2:
            narrow = next(
                (axes for number, axes in enumerate(kept) if any(axes <= other for other in kept[number + 1 :])), None
            )
            if narrow is None:
                break
            kept.remove(narrow)
            steps.append(Work(self.entries(next(other for other in kept if narrow <= other))))
        return kept, steps
