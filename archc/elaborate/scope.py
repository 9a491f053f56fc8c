"""The names in force at a place of a block, and what a layer asks of the parameters of its edge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from archc.base.diagnostic import Fault
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import AxisList, Binding, BoundAxis, Poison, Several, Sharing, Term
from archc.elaborate.constraint import Mismatch
from archc.elaborate.frame import Frame, Open, Poisoned
from archc.elaborate.library import File
from archc.formula.rename import along
from archc.formula.tree import Formula, Position, Read
from archc.ir.node import Initial, Parameter, Value
from archc.syntax import tree
from archc.types.size import Size
from archc.types.tensor_type import REAL, Axis, Kind, TensorType


@dataclass(frozen=True)
class Start:
    """How parameters are asked to start, and where: an initialiser's word, its numbers, and the fans that are given."""

    word: str
    numbers: tuple[float, ...] = ()
    fans: tuple[tuple[str, Size], ...] = ()
    span: Span | None = None


@dataclass(frozen=True)
class Edging:
    """What a layer asks of the parameters of its edge: unit axes before their own, a name's prefix, a start.

    `sharing` is set where the layer's weights are shared between uses.
    """

    axes: tuple[Axis, ...]
    prefix: str
    initial: Start | None
    fan_in: Size
    fan_out: Size
    sharing: Sharing | None = None
    at: tuple[Term, ...] | None = None
    sources: tuple[Axis, ...] = ()

    def read(self, value: Value, own: TensorType) -> Term:
        """A parameter of the edge as the edge reads it: at its own unit axes, or where a tied edge finds its group."""
        places = self.at or tuple(Term(Position(axis.name), (axis,)) for axis in self.axes)
        indices = (*(place.formula for place in places), *(Position(name) for name in own.names))
        axes = (*(axis for place in places for axis in place.axes), *own.axes)
        return Term(Read(value.name, indices), axes, value.type.kind)


@dataclass(frozen=True)
class Emitted:
    """What a pass of a `scan` emits."""

    term: Term
    span: Span
    hint: str | None


@dataclass(eq=False)
class Slicing:
    """A loop over an axis while its body is elaborated: a value of the enclosing regions that has the axis is its entry
    at the position at hand, an input of the body. `slices` are those inputs by the name of the value outside."""

    frame: Frame
    axis: Axis
    span: Span
    outer: Slicing | None
    region: Open
    slices: dict[str, Value] = field(default_factory=dict)

    def entry(self, found: Binding) -> Binding:
        """A binding of the enclosing region as the body reads it."""
        if isinstance(found, Several):
            return self._tuple(found)
        return self._read(found) if isinstance(found, Term) else found

    def _tuple(self, found: Several) -> Several:
        return Several(tuple(self._tuple(one) if isinstance(one, Several) else self._read(one) for one in found.terms))

    def _read(self, found: Term) -> Term:
        """A value of the enclosing region as the body reads it."""
        if self.axis.name not in found.names:
            return found
        frame = self.frame
        with self.region.outside():
            value = frame.materialise(found, found.hint, self.span)
        names = dict(zip(value.type.names, self._names(found, value), strict=True))
        if value.name not in self.slices:
            own = tuple(axis for axis in value.type.axes if names[axis.name] != self.axis.name)
            kind = value.type.kind.under({axis.name: axis.name for axis in own})
            slice = Value(frame.allocate(f"{value.name}_{self.axis.name}"), TensorType(kind, own))
            self.slices[value.name] = frame.input(slice.name, slice.type, self.span)
        read = frame.read(self.slices[value.name])
        renamed = {old: new for old, new in names.items() if new != self.axis.name and old != new}
        if not renamed:
            return replace(read, hint=found.hint)
        formula = along(read.formula, {old: Position(new) for old, new in renamed.items()})
        axes = tuple(Axis(renamed.get(axis.name, axis.name), axis.size, axis.twin) for axis in read.axes)
        return Term(formula, axes, read.kind.under(names), found.hint)

    def _names(self, found: Term, value: Value) -> tuple[str, ...]:
        """What a term calls the axes of the value that it reads."""
        formula = found.formula
        if isinstance(formula, Read) and formula.value == value.name and found.is_plain:
            return tuple(index.axis for index in formula.indices if isinstance(index, Position))
        return value.type.names


@dataclass(eq=False)
class Scope:
    """Names in force at a place. `lifted` are axes that pass through, `clash` names a local axis may not take.

    `slicing` says along which axis the loop around runs, `emitted` collects what its body emits. `declared`,
    `in_reduction` and `is_free` say how wide arithmetic may go: as far as a declared result, in products under a
    reduction, or anywhere (an index, a condition). `positions` are the axes that a reduction or a declared result
    binds here, by their names, `states` the states that are declared here."""

    frame: Frame
    file: File
    names: dict[str, Binding]
    parent: Scope | None = None
    lifted: frozenset[str] = frozenset()
    clash: frozenset[str] = frozenset()
    edging: Edging | None = None
    declared: frozenset[str] | None = None
    in_reduction: bool = False
    is_free: bool = False
    positions: Mapping[str, Axis] = field(default_factory=dict)
    is_inline: bool = False
    introduced: set[str] = field(default_factory=set)
    slicing: Slicing | None = None
    emitted: list[Emitted] | None = None
    states: dict[str, Value] = field(default_factory=dict)

    def child(self, names: Mapping[str, Binding] | None = None) -> Scope:
        """A scope inside this one, with some names of its own."""
        return replace(self, names=dict(names or {}), parent=self, states={})

    def find(self, name: str) -> Binding | None:
        """What a name means, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                if isinstance(found, Poison):
                    raise Poisoned
                return found if scope.slicing is self.slicing else self.at_hand(found, scope.slicing)
            scope = scope.parent
        return None

    def runs_over(self, axis: str) -> bool:
        """Whether a loop around runs over the axis, so that its position is known at each pass."""
        slicing = self.slicing
        while slicing is not None and slicing.axis.name != axis:
            slicing = slicing.outer
        return slicing is not None

    def at_hand(self, found: Binding, beyond: Slicing | None = None) -> Binding:
        """A value from outside the loops inside `beyond`, at the positions at which their passes are."""
        crossed: list[Slicing] = []
        slicing = self.slicing
        while slicing is not None and slicing is not beyond:
            crossed.append(slicing)
            slicing = slicing.outer
        for slicing in reversed(crossed):
            found = slicing.entry(found)
        return found

    def names_axes(self, name: str) -> AxisList | BoundAxis | None:
        """The axis or axes that a hyper-parameter of the text at hand stands for."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if isinstance(found, AxisList):
                return found
            # an axis under its own name is no hyper-parameter, even where the text calls another axis so
            if isinstance(found, BoundAxis) and found.axis.name not in (name, scope.local(name)):
                return found
            scope = scope.parent
        return None

    @property
    def binders(self) -> frozenset[str]:
        """The axes that run here."""
        return frozenset(self.positions)

    def bind(self, axes: Iterable[Axis]) -> None:
        """Let axes run, each over its positions: a reduction or a declared result binds them."""
        self.positions = {**self.positions, **{axis.name: axis for axis in axes}}

    def hides(self, name: tree.Name, axis: str) -> bool:
        """Whether binding an axis that the text calls `name` may hide what else is called like the axis: always under
        its own name, but an axis that a hyper-parameter stands for hides no value of a text that never speaks of it."""
        is_own = len(name.parts) == 1 and self.names_axes(name.text) is None
        return is_own or not isinstance(self.find(axis), Term)

    @property
    def words(self) -> set[str]:
        """Every name in force, for suggestions."""
        found: set[str] = set()
        scope: Scope | None = self
        while scope is not None:
            found.update(scope.names)
            scope = scope.parent
        return found

    def local(self, axis: str) -> str:
        """The internal name of an axis that the text at hand introduces: its own, unless a lifted axis has it."""
        if axis not in self.clash:
            return axis
        number = 2
        while f"{axis}_{number}" in self.clash:
            number += 1
        return f"{axis}_{number}"

    def parameter(
        self, name: str, type: TensorType, span: Span, *, role: str, initial: Initial | None, formula: Formula | None
    ) -> Value:
        """Declare a parameter; inside a shared layer, block or loop the first use's parameter is taken."""
        frame = self.frame
        prefix = self.edging.prefix if self.edging else ""
        sharing = self.edging.sharing if self.edging else None
        if sharing is None and role == "param":
            sharing = frame.common(span)
        key = sharing.key(name) if sharing else name
        if sharing and key in sharing.parameters:
            return self._again(sharing.parameters[key], type, span)
        around = frame.passes.name if frame.passes else ""
        value = Value(frame.parameter_name("_".join(word for word in (around, prefix, name) if word)), type)
        node = Parameter(results=(value,), span=span, path=frame.path, role=role, initial=initial, formula=formula)
        frame.declare(node, sharing)
        if sharing:
            sharing.parameters[key] = value
        return value

    def _again(self, value: Value, type: TensorType, span: Span) -> Value:
        """A shared parameter where it is used again: it has the type that it had. Raises Fault E0312, E0410."""
        if value.type.names != type.names:
            raise Fault(faults.NotYet(span, what="one set of weights for different axes"))
        for before, axis in zip(value.type.axes, type.axes, strict=True):
            self.frame.equate(axis.size, before.size, Mismatch(axis.name, span))
        return value


def stem(name: str, mark: str = "_") -> str:
    """A name without the numbers, each after a mark, that set it apart from others: `h` for `h_2`."""
    return re.sub(rf"(?<=.)({mark}\d+)+$", "", name)


def plain(kind: Kind) -> Kind:
    """The kind of the result of arithmetic on a value: a distribution or a point becomes real, a pointer an int."""
    return Kind("int") if kind.is_integer else REAL if kind.is_real else kind
