"""The number that a formula denotes, in NumPy float64 over named axes.

Every subformula is evaluated once over exactly the axes it depends on. Arrays meet by axis name, never by position, and
nothing is broadcast that has no name. Written from the language reference; knows nothing of the lowering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, SizeValue, Training, walk
from archc.ops.registries import POINTWISE, REDUCTIONS

Array = NDArray[Any]

_LOGIC = frozenset(("and", "or", "not"))
_MIXED = frozenset(("eq", "ne", "where"))
_OPERANDS_OF_EINSUM = 24


class MeaningError(Exception):
    """A formula has no value here: a name, a size, a kind or an index is not what the graph says."""


@dataclass(frozen=True, slots=True)
class Named:
    """An array whose dimensions carry axis names, one each, all distinct."""

    axes: tuple[str, ...]
    array: Array

    def along(self, axes: Sequence[str]) -> Array:
        """The array with its dimensions in the order of `axes`, of length 1 along those it does not have."""
        if tuple(axes) == self.axes:
            return self.array
        own = set(self.axes)
        order = [self.axes.index(axis) for axis in axes if axis in own]
        return self.array.transpose(order)[tuple(slice(None) if axis in own else None for axis in axes)]


def evaluate(
    formula: Formula,
    values: Mapping[str, Named],
    extents: Mapping[str, int],
    sizes: Mapping[str, int],
    hold: Callable[[Named], Named] | None = None,
    *,
    training: bool = False,
) -> Named:
    """The values of `formula` over its free axes.

    `values` are the arrays it reads, dimensions in the order of their types; `extents` the lengths of its free axes;
    `sizes` the values of size symbols; `hold` gives what stands for a value at which a gradient stops; `training`
    says what the word stands for. Raises MeaningError.
    """
    evaluation = _Evaluation(values, _scope(formula, extents, sizes), sizes, hold, training)
    done: dict[int, Named] = {}
    stack = [formula]
    while stack:
        current = stack[-1]
        missing = [part for part in _parts(current) if id(part) not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        if id(current) not in done:
            done[id(current)] = evaluation.of(current, done)
    return done[id(formula)]


def _scope(formula: Formula, extents: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, int]:
    """The length of every axis that a position in the formula can stand for."""
    scope = dict(extents)
    for part in walk(formula):
        for axis in part.axes if isinstance(part, Reduce) else ():
            length = axis.size.evaluate(sizes)
            if length < 0:
                raise MeaningError(f"bound axis {axis} has size {length}")
            if scope.setdefault(axis.name, length) != length:
                raise MeaningError(f"bound axis {axis.name} has size {length}, but {scope[axis.name]} elsewhere")
    return scope


def _product(formula: Reduce) -> tuple[tuple[str, ...], tuple[Formula, ...]]:
    """The bound axes and the factors of a sum of products; a sum that is itself a factor is merged into it."""
    axes = [axis.name for axis in formula.axes]
    factors: list[Formula] = []
    stack = [formula.body]
    while stack:
        part = stack.pop()
        if isinstance(part, Apply) and part.function == "mul":
            stack.extend(reversed(part.operands))
        elif _is_plain_sum(part) and not {axis.name for axis in part.axes} & set(axes):
            axes += [axis.name for axis in part.axes]
            stack.append(part.body)
        else:
            factors.append(part)
    return tuple(axes), tuple(factors)


def _is_plain_sum(formula: Formula) -> TypeGuard[Reduce]:
    return isinstance(formula, Reduce) and formula.kind == "sum" and formula.condition is None


def _parts(formula: Formula) -> Iterable[Formula]:
    """The subformulas whose values `formula` is computed from."""
    if isinstance(formula, Reduce) and formula.kind == "sum":
        factors = _product(formula)[1]
        return factors if formula.condition is None else (*factors, formula.condition)
    return formula.children


def _union(parts: Iterable[Named]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(axis for part in parts for axis in part.axes))


@dataclass(frozen=True)
class _Evaluation:
    values: Mapping[str, Named]
    scope: Mapping[str, int]
    sizes: Mapping[str, int]
    hold: Callable[[Named], Named] | None
    training: bool

    def of(self, formula: Formula, done: Mapping[int, Named]) -> Named:
        """The value of a formula whose parts are done."""
        if isinstance(formula, Read):
            return self.read(formula, done)
        if isinstance(formula, Apply):
            return self.apply(formula, [done[id(part)] for part in formula.operands])
        if isinstance(formula, Reduce):
            condition = None if formula.condition is None else done[id(formula.condition)]
            if condition is not None and condition.array.dtype != np.bool_:
                raise MeaningError("a `where` of a reduction is not a condition")
            if formula.kind == "sum":
                axes, factors = _product(formula)
                return self.contract(axes, [done[id(part)] for part in factors], condition)
            return self.reduce(formula.kind, [a.name for a in formula.axes], done[id(formula.body)], condition)
        if isinstance(formula, Position):
            return Named((formula.axis,), np.arange(self.extent(formula.axis)))
        if isinstance(formula, SizeValue):
            return Named((), np.asarray(formula.size.evaluate(self.sizes), dtype=np.int64))
        if isinstance(formula, Literal):
            return Named((), np.asarray(formula.value))
        if isinstance(formula, Training):
            return Named((), np.asarray(self.training))
        raise MeaningError(f"no meaning is known for {type(formula).__name__}")

    def extent(self, axis: str) -> int:
        if axis not in self.scope:
            raise MeaningError(f"the position on axis {axis} is read where there is no such axis")
        return self.scope[axis]

    def shape(self, axes: Sequence[str]) -> tuple[int, ...]:
        return tuple(self.extent(axis) for axis in axes)

    def spread(self, part: Named, axes: Sequence[str]) -> Array:
        """The array constant along the axes it does not have."""
        return np.broadcast_to(part.along(axes), self.shape(axes))

    def apply(self, formula: Apply, operands: Sequence[Named]) -> Named:
        word = formula.function
        wants_truth = word in _LOGIC
        for operand in operands if word not in _MIXED else ():
            if (operand.array.dtype == np.bool_) != wants_truth:
                raise MeaningError(f"`{word}` of {operand.array.dtype} values")
        axes = _union(operands)
        function = POINTWISE[word](**dict(formula.attributes))
        result = np.asarray(function.value(*(operand.along(axes) for operand in operands)))
        if result.shape != self.shape(axes):
            raise MeaningError(f"`{word}` gives shape {result.shape} over axes {axes} of sizes {self.shape(axes)}")
        named = Named(axes, result)
        return self.hold(named) if self.hold is not None and function.stops else named

    def read(self, formula: Read, done: Mapping[int, Named]) -> Named:
        if formula.value not in self.values:
            raise MeaningError(f"there is no value {formula.value}")
        source = self.values[formula.value]
        if len(formula.indices) != len(source.axes):
            raise MeaningError(
                f"{formula.value} has axes {source.axes}, but is read with {len(formula.indices)} indices"
            )
        indices = [done[id(index)] for index in formula.indices]
        for axis, index in zip(source.axes, indices, strict=True):
            if index.array.dtype.kind not in "iu":
                raise MeaningError(f"axis {axis} of {formula.value} is indexed by {index.array.dtype} values")
        plain = [index.axis for index in formula.indices if isinstance(index, Position)]
        if len(plain) == len(set(plain)) == len(indices) and self.shape(plain) == source.array.shape:
            return Named(tuple(plain), source.array)
        return self.gather(formula, source, indices, done)

    def gather(self, formula: Read, source: Named, indices: Sequence[Named], done: Mapping[int, Named]) -> Named:
        """The entries at computed positions; one beyond its axis reads `outside`, or is an error without it."""
        axes = _union(indices)
        at = [index.along(axes) for index in indices]
        inside = np.asarray(True)
        for index, axis, length in zip(at, source.axes, source.array.shape, strict=True):
            fits = (index >= 0) & (index < length)
            if formula.outside is None and not fits.all():
                worst = index[~fits].flat[0]
                raise MeaningError(f"{formula.value} is read at {worst} on axis {axis} of size {length}")
            inside = inside & fits
        if formula.outside is None:
            return self.entries(source, indices)
        outside = done[id(formula.outside)]
        wide = _union((Named(axes, inside), outside))
        if source.array.size == 0:
            return Named(wide, self.spread(outside, wide))
        within = [
            Named(index.axes, np.clip(index.array, 0, length - 1))
            for index, length in zip(indices, source.array.shape, strict=True)
        ]
        entries = self.entries(source, within)
        fits = Named(axes, np.broadcast_to(inside, self.shape(axes)))
        return Named(wide, np.where(fits.along(wide), entries.along(wide), outside.along(wide)))

    def entries(self, source: Named, indices: Sequence[Named]) -> Named:
        """The entries at positions that are all inside."""
        axes = _union(indices)
        if len(axes) < sum(len(index.axes) for index in indices):  # two positions move together
            at = tuple(index.along(axes) for index in indices)
            return Named(axes, np.broadcast_to(source.array[at], self.shape(axes)))
        array = source.array
        for dim in reversed(range(array.ndim)):  # one axis after the other is much quicker than all at once
            places = indices[dim].array
            if not np.array_equal(places, np.arange(array.shape[dim])):
                array = np.take(array, places, axis=dim)
        return Named(axes, array)

    def reduce(self, kind: str, bound: Sequence[str], body: Named, condition: Named | None) -> Named:
        """The reduction over `bound` of the entries where the condition holds."""
        where = condition if condition is not None else Named((), np.asarray(True))
        free = [axis for axis in _union((body, where)) if axis not in bound]
        axes = (*free, *bound)
        dims = tuple(range(len(free), len(axes)))
        result = REDUCTIONS[kind]().value(self.spread(body, axes), dims, self.spread(where, axes))
        return Named(tuple(free), np.asarray(result))

    def contract(self, bound: Sequence[str], factors: Sequence[Named], condition: Named | None) -> Named:
        """The sum over `bound` of the product of the factors where the condition holds."""
        if any(factor.array.dtype == np.bool_ for factor in factors):
            raise MeaningError("a sum of conditions")
        groups = self.merged(factors)
        if condition is not None:
            # zero times infinity is not a number, but an entry where the condition fails is no part of the sum
            if not all(np.isfinite(group.array).all() for group in groups):
                return self.reduce("sum", bound, self.times(groups), condition)
            groups = self.merged([*groups, Named(condition.axes, condition.array.astype(np.int64))])
        if len(groups) > _OPERANDS_OF_EINSUM:
            return self.reduce("sum", bound, self.times(groups), None)
        return self.einsum(bound, groups)

    def merged(self, factors: Sequence[Named]) -> list[Named]:
        """The factors with those over the same axes multiplied."""
        groups: dict[frozenset[str], Named] = {}
        for factor in factors:
            key = frozenset(factor.axes)
            known = groups.get(key)
            groups[key] = factor if known is None else self.times((known, factor))
        return list(groups.values())

    def times(self, factors: Sequence[Named]) -> Named:
        """The product over the union of the axes."""
        axes = _union(factors)
        result = factors[0].along(axes)
        for factor in factors[1:]:
            result = result * factor.along(axes)
        return Named(axes, result)

    def einsum(self, bound: Sequence[str], factors: Sequence[Named]) -> Named:
        axes = _union(factors)
        label = {axis: number for number, axis in enumerate(axes)}
        free = tuple(axis for axis in axes if axis not in bound)
        arguments: list[Any] = []
        for factor in factors:
            arguments += [factor.array, [label[axis] for axis in factor.axes]]
        path = False if 0 in self.shape(axes) else "greedy"
        result = np.einsum(*arguments, [label[axis] for axis in free], optimize=path)
        return Named(free, np.asarray(result) * prod(self.shape([axis for axis in bound if axis not in label])))
