"""Formulas that are linear in some of the values they read, as sums of coefficients times reads.

From the terms of its tangent follow whether a formula is affine in a value, along which axes it mixes the value's
entries, its derivative by one entry, and what an adjoint of it hands back to the value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archc.derive.tangent import tangent
from archc.formula.algebra import ONE, ZERO, applied, is_number, negative, quotient, times, total, where
from archc.formula.normal import Affine, affine
from archc.formula.rename import along, distinct
from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, SizeValue, walk
from archc.ops.registries import POINTWISE
from archc.types.size import Condition, Facts, Size
from archc.types.tensor_type import Axis


class NotLinearError(ValueError):
    """A formula is not linear in the values, or not visibly."""


@dataclass(frozen=True)
class Term:
    """`sum axes: coefficient * read`, where the coefficient does not depend on what is read."""

    coefficient: Formula
    read: Read
    axes: tuple[Axis, ...] = ()


def terms(formula: Formula, values: Collection[str]) -> tuple[Term, ...]:
    """The terms of a formula that is linear in the values together, as every tangent is in what values move by.

    Raises NotLinearError.
    """
    return tuple(_terms(formula, frozenset(values), ONE, ()))


def _terms(formula: Formula, values: frozenset[str], coefficient: Formula, axes: tuple[Axis, ...]) -> Iterator[Term]:
    """The terms of `sum axes: coefficient * formula`."""
    match formula:
        case Literal() if is_number(formula, 0):
            return
        case Read(value=value, indices=indices, outside=outside) if value in values:
            if (outside is None or is_number(outside, 0)) and not any(_depends(index, values) for index in indices):
                yield Term(coefficient, formula, axes)
                return
        case Apply():
            for part, factor in _parts(formula, values, coefficient):
                yield from _terms(part, values, factor, axes)
            return
        case Reduce("sum" | "mean", bound, body, admits) if admits is None or not _depends(admits, values):
            if formula.kind == "mean":
                coefficient = quotient(coefficient, _count(formula))
            if admits is not None:
                coefficient = where(admits, coefficient, ZERO)
            yield from _terms(body, values, coefficient, (*axes, *bound))
            return
    raise NotLinearError(f"a {type(formula).__name__} is not linear in {', '.join(sorted(values))}")


def _parts(formula: Apply, values: frozenset[str], coefficient: Formula) -> list[tuple[Formula, Formula]]:
    """What a linear function is of, each with the coefficient that it gives."""
    match formula:
        case Apply("add" | "identity", operands):
            return [(operand, coefficient) for operand in operands]
        case Apply("sub", (left, right)):
            return [(left, coefficient), (right, negative(coefficient))]
        case Apply("neg", (operand,)):
            return [(operand, negative(coefficient))]
        case Apply("div", (above, below)) if not _depends(below, values):
            return [(above, quotient(coefficient, below))]
        case Apply("where", (condition, one, other)) if not _depends(condition, values):
            return [(one, where(condition, coefficient, ZERO)), (other, where(condition, ZERO, coefficient))]
        case Apply("mul", operands):
            moving = [operand for operand in operands if _depends(operand, values)]
            if len(moving) == 1:
                return [(moving[0], times(coefficient, *(one for one in operands if one is not moving[0])))]
    raise NotLinearError(f"`{formula.function}` is not linear in {', '.join(sorted(values))}")


def _depends(formula: Formula, values: frozenset[str]) -> bool:
    return not values.isdisjoint(formula.reads)


def _count(mean: Reduce) -> Formula:
    """How many entries a mean is over, at least 1."""
    if mean.condition is None:
        return times(*(SizeValue(axis.size) for axis in mean.axes))
    return Apply("maximum", (Reduce("sum", mean.axes, Literal(1), mean.condition), Literal(1)))


def affine_in(formula: Formula, values: Collection[str]) -> bool:
    """Whether the formula is proved to be affine in the values together: `at_zero` plus its tangent at the values.

    That is, its tangent does not read them, and nothing that has no derivative or jumps depends on them.
    """
    wanted = frozenset(values)
    for part in walk(formula):
        if not _depends(part, wanted):
            continue
        match part:
            case Read(indices=indices, outside=outside) if any(
                not wanted.isdisjoint(index.reads) for index in indices
            ) or (outside is not None and part.value in wanted and not is_number(outside, 0)):
                return False
            case Apply(function=word) if not POINTWISE[word].slopes or POINTWISE[word].jumps:
                return False
            case Reduce(condition=Formula() as condition) if _depends(condition, wanted):
                return False
    return not _depends(tangent(formula, _moves(wanted)), wanted)


def _moves(values: Collection[str]) -> dict[str, str]:
    """A name for what each value moves by that no value of a spec has."""
    return {value: f"{value}'" for value in values}


def at_zero(formula: Formula, values: Collection[str]) -> Formula:
    """The formula where every entry of the values is 0, simplified: the offset of one that is affine in them."""
    if not _depends(formula, frozenset(values)):
        return formula
    match formula:
        case Read(value=value, outside=None) if value in values:
            return ZERO
        case Read(value=value, outside=Formula() as outside) if value in values and is_number(outside, 0):
            return ZERO
        case Apply(function=word, operands=operands, attributes=attributes):
            return applied(word, *(at_zero(operand, values) for operand in operands), attributes=attributes)
        case Reduce():
            rebuilt = formula.rebuild(lambda child: at_zero(child, values))
            empty = isinstance(rebuilt, Reduce) and rebuilt.kind in ("sum", "mean") and is_number(rebuilt.body, 0)
            return ZERO if empty else rebuilt
    return formula.rebuild(lambda child: at_zero(child, values))


def mixed(formula: Formula, value: str, axes: Sequence[str]) -> frozenset[str]:
    """The axes of a value along which the formula depends on other entries than the one at its own position.

    `axes` names the value's axes in order; where a name is free in the formula, that is the position meant. Without any
    the derivative is diagonal; with some it is a block over them at each position of the others.
    """
    found: set[str] = set()
    for term in terms(tangent(formula, _moves((value,))), (f"{value}'",)):
        bound = {axis.name for axis in term.axes}
        for axis, index in zip(axes, term.read.indices, strict=True):
            if index != Position(axis) or axis in bound:
                found.add(axis)
    return frozenset(found)


def derivative(formula: Formula, value: str, sizes: Sequence[Size], at: Sequence[Formula]) -> Formula:
    """The derivative by the value's entry at the positions `at`, one for each of its axes, whose sizes are `sizes`.

    With `at` positions on axes of new names it is the Jacobian, over the formula's axes and those. Where the formula
    does not mix an axis (see `mixed`), the axis's own name there gives the diagonal.
    """
    return pulled_back(formula, value, sizes, at, ONE, ())


def pulled_back(
    formula: Formula,
    value: str,
    sizes: Sequence[Size],
    at: Sequence[Formula],
    adjoint: Formula,
    axes: Sequence[Axis],
    own: Formula | None = None,
) -> Formula:
    """`sum axes: adjoint * derivative(formula, value, sizes, at)`, over free axes of the formula and the adjoint.

    No sum runs over an axis whose position an index of the read decides. The axes must not be free in `at`. `own` reads
    the value of the formula where it is known.
    """
    names = frozenset().union(*(index.free for index in at), formula.free, (axis.name for axis in axes))
    moved = distinct(tangent(formula, _moves((value,)), (), own), names)
    extents = {index.axis: size for index, size in zip(at, sizes, strict=True) if isinstance(index, Position)}
    parts = []
    for term in terms(moved, (f"{value}'",)):
        entry = _Entry(times(adjoint, term.coefficient), (*axes, *term.axes), extents)
        entry.meet(term.read.indices, at)
        parts.append(entry.formula)
    return distinct(total(*parts), names - {axis.name for axis in axes})


class _Entry:
    """`sum axes: coefficient` where the indices of a read are given positions."""

    def __init__(self, coefficient: Formula, axes: Sequence[Axis], extents: Mapping[str, Size]) -> None:
        self.coefficient = coefficient
        self.axes = {axis.name: axis for axis in axes}
        self.extents = extents
        self.conditions: list[Formula] = []

    @property
    def formula(self) -> Formula:
        """The sum that is left."""
        if is_number(self.coefficient, 0):
            return ZERO
        match self.conditions:
            case []:
                condition = None
            case [only]:
                condition = only
            case several:
                condition = Apply("and", tuple(several))
        if self.axes:
            return Reduce("sum", tuple(self.axes.values()), self.coefficient, condition)
        return self.coefficient if condition is None else where(condition, self.coefficient, ZERO)

    def meet(self, indices: Sequence[Formula], at: Sequence[Formula]) -> None:
        """Admit only the positions where each index is what `at` says."""
        # an axis that is an index by itself is decided first: other indices may then be differences with it
        left = sorted(zip(indices, at, strict=True), key=lambda one: not isinstance(one[0], Position))
        while left:
            index, target = left.pop(0)
            if index == target:
                continue
            decided = self.decided(index, target)
            if decided is None:
                self.conditions.append(Apply("eq", (index, target)))
                continue
            name, position = decided
            self.put(name, position)
            left = [(along(other, {name: position}), entry) for other, entry in left]

    def decided(self, index: Formula, target: Formula) -> tuple[str, Formula] | None:
        """A summed axis whose position follows from the index being the target, and that position."""
        if isinstance(index, Position):
            return (index.axis, target) if index.axis in self.axes else None
        form, goal = affine(index), affine(target)
        for name, size in form.factors.items() if form is not None and goal is not None else ():
            factor = size.constant
            if name not in self.axes or factor is None or form is None or goal is None:
                continue
            rest = Affine({axis: own for axis, own in form.factors.items() if axis != name}, form.offset)
            distance = goal.plus(rest.times(Size.of(-1))).times(Size.of(1 if factor > 0 else -1)).formula
            if abs(factor) == 1:
                return name, distance
            self.conditions.append(Apply("eq", (Apply("mod", (distance, Literal(abs(factor)))), Literal(0))))
            return name, Apply("floordiv", (distance, Literal(abs(factor))))
        return None

    def put(self, name: str, position: Formula) -> None:
        """Let an axis have one position only, where that is inside the axis."""
        size = self.axes.pop(name).size
        self.coefficient = along(self.coefficient, {name: position})
        self.conditions = [along(condition, {name: position}) for condition in self.conditions]
        outside = self.outside(position, size)
        if outside:
            self.coefficient = _guarded(self.coefficient, position)
            self.conditions.extend(outside)

    def outside(self, position: Formula, size: Size) -> list[Formula]:
        """What must hold for a position to be inside an axis, as far as it is not proved."""
        low, high = Apply("ge", (position, Literal(0))), Apply("lt", (position, SizeValue(size)))
        form = affine(position)
        extents = {**self.extents, **{name: axis.size for name, axis in self.axes.items()}}
        if form is None or not form.factors.keys() <= extents.keys():
            return [low, high]
        least = most = form.offset
        for name, factor in form.factors.items():
            if factor.constant is None:
                return [low, high]
            reach = factor * (extents[name] - 1)
            least, most = (least, most + reach) if factor.constant > 0 else (least + reach, most)
        facts = Facts((), dict.fromkeys(least.symbols | most.symbols | size.symbols, 0))
        found: list[Formula] = []
        if not facts.prove(Condition(">=", least, Size.of(0))):
            found.append(low)
        if not facts.prove(Condition("<", most, size)):
            found.append(high)
        return found


def _guarded(formula: Formula, position: Formula) -> Formula:
    """The formula with 0 for what it reads beyond an axis by the position."""
    formula = formula.rebuild(lambda child: _guarded(child, position))
    if not isinstance(formula, Read) or formula.outside is not None:
        return formula
    is_there = any(part == position for index in formula.indices for part in walk(index))
    return Read(formula.value, formula.indices, ZERO) if is_there else formula
