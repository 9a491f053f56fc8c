"""Readings of values: aliases, slices, rolls, repetitions, windows, and entries at computed positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archc.formula.normal import ONE, ZERO, Affine, affine, size_of
from archc.formula.tree import Apply, Formula, Literal, Position, Read
from archc.readings.schedule.digits import merged
from archc.readings.schedule.take import take
from archc.readings.schedule.tensor import Divide, Flip, Interleave, Laid, Pad, Roll, Select, Slice, Step, Windows
from archc.types.size import Condition, Size

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation


def read(at: Evaluation, formula: Read) -> Laid:
    """The entries that a reading denotes, by views where its indices allow it."""
    scope = at.scope
    names = scope.types[formula.value].names
    source = scope.values[formula.value]
    indices = dict(zip(names, formula.indices, strict=True))
    if formula.outside is not None:
        # beyond an axis that the tensor is constant along, it is not constant
        sizes = scope.types[formula.value].sizes
        lacking = [axis for axis in names if axis not in source.axes and not isinstance(indices[axis], Position)]
        if lacking:
            source = scope.trace.expanded(source, [*source.axes, *lacking], sizes)
    unread = {f"@{axis}": indices[axis] for axis in source.axes}
    access = Access(at, merged(at, Laid(source.tensor, tuple(unread)), unread), formula.outside)
    for axis in (axis for axis in access.part.axes if axis in unread):
        access.along(axis, unread[axis])
    return take(at, access.part, access.irregular, formula.outside)


@dataclass
class Access:
    """A reading in progress: `part` is the tensor so far, an axis not dealt with yet is called `@axis`; `irregular` are
    those left to indices that are computed."""

    at: Evaluation
    part: Laid
    outside: Formula | None
    irregular: dict[str, Formula] = field(default_factory=dict)

    def along(self, axis: str, index: Formula) -> None:
        """Take one axis at its index."""
        if not self._is_taken(axis, index):
            self.irregular[axis] = index

    def _is_taken(self, axis: str, index: Formula) -> bool:
        size = self.part.size(axis)
        if (
            isinstance(index, Position)
            and self._is_new(index.axis)
            and self._proves("==", self._length(index.axis), size)
        ):
            self._rename(axis, index.axis)
            return True
        form = affine(index)
        if form is not None:
            return self._affine(axis, form)
        match index:
            case Apply("mod", (inner, modulus)) if size_of(modulus) == size:
                form = affine(inner)
                return form is not None and self._modular(axis, form)
            case Apply("floordiv", (Position(name), divisor)):
                factor = size_of(divisor)
                return factor is not None and self._repeated(axis, name, factor)
        return False

    def _affine(self, axis: str, form: Affine) -> bool:
        if form.constant is not None:
            return self._constant(axis, form.constant)
        if not 1 <= len(form.factors) <= 2 or not all(self._is_new(name) for name in form.factors):
            return False
        if len(form.factors) == 1 and self._backwards(axis, form):
            return True
        if not all(self._proves(">", factor, ZERO) for factor in form.factors.values()):
            return False
        start, extent = form.offset, self._extent(form)
        if self._is_inside(axis, form):
            if start != ZERO or not self._proves("==", extent, self.part.size(axis)):
                if len(form.factors) == 1:
                    return self._sliced(axis, form)
                self._make(Slice(self.part.dim(axis), start, extent, ONE), axis, [extent], [axis])
        elif not self._padded(axis, start, extent):
            return False
        self._spread(axis, form)
        return True

    def _constant(self, axis: str, index: Size) -> bool:
        size = self.part.size(axis)
        if self.outside is not None and not (self._proves(">=", index, ZERO) and self._proves("<", index, size)):
            return False
        self._make(Select(self.part.dim(axis), index), axis, [], [])
        return True

    def _backwards(self, axis: str, form: Affine) -> bool:
        """x[h: c - p], a slice of the axis turned round."""
        ((name, factor),) = form.factors.items()
        if factor != Size.of(-1) or not self._is_inside(axis, form):
            return False
        size, length = self.part.size(axis), self._length(name)
        start = size - ONE - form.offset
        self._make(Flip(self.part.dim(axis)), axis, [size], [axis])
        self._slice_to(axis, start, length)
        self._rename(axis, name)
        return True

    def _sliced(self, axis: str, form: Affine) -> bool:
        ((name, factor),) = form.factors.items()
        length = self._length(name)
        self._make(Slice(self.part.dim(axis), form.offset, length, factor), axis, [length], [name])
        return True

    def _slice_to(self, axis: str, start: Size, length: Size) -> None:
        if start != ZERO or not self._proves("==", length, self.part.size(axis)):
            self._make(Slice(self.part.dim(axis), start, length, ONE), axis, [length], [axis])

    def _modular(self, axis: str, form: Affine) -> bool:
        size = self.part.size(axis)
        if not form.factors or len(form.factors) > 2 or not all(self._is_new(name) for name in form.factors):
            return False
        dim = self.part.dim(axis)
        if list(form.factors.values()) == [ONE]:
            (name,) = form.factors
            if self._proves("==", self._length(name), size):
                self._make(Roll((dim,), (-form.offset,)), axis, [size], [name])
                return True
        if not all(self._proves(">", factor, ZERO) for factor in form.factors.values()):
            return False
        left, right = -form.offset, form.offset + self._extent(form) - size
        # a circular padding goes round at most once
        if not all(self._proves(">=", amount, ZERO) and self._proves("<=", amount, size) for amount in (left, right)):
            return False
        extent = self._extent(form)
        self._make(Pad(((dim, left, right),), None), axis, [extent], [axis])
        self._spread(axis, form)
        return True

    def _repeated(self, axis: str, name: str, factor: Size) -> bool:
        length, size = self._length(name), self.part.size(axis)
        inside = self._proves("<=", length, size * factor)
        if not self._is_new(name) or not self._proves(">", factor, ZERO) or not (inside or self.outside is None):
            return False
        self._make(Interleave(self.part.dim(axis), factor), axis, [size * factor], [axis])
        self._slice_to(axis, ZERO, length)
        self._rename(axis, name)
        return True

    def _padded(self, axis: str, start: Size, extent: Size) -> bool:
        """The axis extended to the entries start ... start + extent - 1, with a number outside."""
        if not isinstance(self.outside, Literal):
            return False
        size = self.part.size(axis)
        left, right = -start, start + extent - size
        # cutting must leave something to pad
        if not (self._proves("<=", start, size) and self._proves(">=", right + size, ZERO)):
            return False
        value, dim = self.outside.value, self.part.dim(axis)
        step, source = self.part.tensor.step, self.part.tensor
        if isinstance(step, Pad) and step.value == value and dim not in {own for own, _, _ in step.amounts}:
            # one call pads several axes
            amounts, source = (*step.amounts, (dim, left, right)), source.operands[0]
        else:
            amounts = ((dim, left, right),)
        shape = (*self.part.tensor.shape[:dim], extent, *self.part.tensor.shape[dim + 1 :])
        pad = Pad(amounts, value)
        self.part = self.at.scope.trace.make(pad, (source,), shape, source.kind, self.part.axes)
        return True

    def _spread(self, axis: str, form: Affine) -> None:
        """An axis cut to the extent of an affine index, as the axes of that index."""
        names = sorted(form.factors, key=lambda name: -self.at.scope.estimate(self._length(name)))
        if len(names) == 1:
            (name,) = names
            if form.factors[name] != ONE:
                step = Slice(self.part.dim(axis), ZERO, self._length(name), form.factors[name])
                self._make(step, axis, [self._length(name)], [axis])
            self._rename(axis, name)
            return
        outer, inner = names
        stride, dilation = form.factors[outer], form.factors[inner]
        if dilation == ONE and stride == self._length(inner):
            sizes = [self._length(outer), stride]
            self._make(Divide(self.part.dim(axis), tuple(sizes)), axis, sizes, [outer, inner])
            return
        width = dilation * (self._length(inner) - ONE) + ONE
        dim, tensor = self.part.dim(axis), self.part.tensor
        shape = (*tensor.shape[:dim], self._length(outer), *tensor.shape[dim + 1 :], width)
        axes = (*(outer if own == axis else own for own in self.part.axes), axis)
        self.part = self.at.scope.trace.make(Windows(dim, width, stride), (self.part,), shape, tensor.kind, axes)
        if dilation != ONE:
            last = len(axes) - 1
            self._make(Slice(last, ZERO, self._length(inner), dilation), axis, [self._length(inner)], [axis])
        self._rename(axis, inner)

    def _extent(self, form: Affine) -> Size:
        """How many entries lie from the first to the last position of an affine index with positive factors."""
        total = ONE
        for name, factor in form.factors.items():
            total = total + factor * (self._length(name) - ONE)
        return total

    def _is_inside(self, axis: str, form: Affine) -> bool:
        if self.outside is None:
            return True
        low = high = form.offset
        for name, factor in form.factors.items():
            span = factor * (self._length(name) - ONE)
            low, high = (low, high + span) if self._proves(">", factor, ZERO) else (low + span, high)
        return self._proves(">=", low, ZERO) and self._proves("<", high, self.part.size(axis))

    def _length(self, name: str) -> Size:
        return self.at.sizes[name]

    def _is_new(self, name: str) -> bool:
        return name not in self.part.axes

    def _proves(self, operator: str, left: Size, right: Size) -> bool:
        return self.at.scope.facts.prove(Condition(operator, left, right)) is True

    def _rename(self, axis: str, name: str) -> None:
        self.part = Laid(self.part.tensor, tuple(name if own == axis else own for own in self.part.axes))

    def _make(self, step: Step, axis: str, sizes: Sequence[Size], names: Sequence[str]) -> None:
        """Apply a step that turns one axis into axes of these sizes and names."""
        dim, tensor = self.part.dim(axis), self.part.tensor
        shape = (*tensor.shape[:dim], *sizes, *tensor.shape[dim + 1 :])
        axes = (*self.part.axes[:dim], *names, *self.part.axes[dim + 1 :])
        self.part = self.at.scope.trace.make(step, (self.part,), shape, tensor.kind, axes)
