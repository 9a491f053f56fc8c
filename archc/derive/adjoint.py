"""Adjoints: what values are given by those that read them, and the nodes that compute it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from archc.base.span import Span
from archc.derive.linear import pulled_back
from archc.formula.algebra import is_number, total
from archc.formula.rename import along, distinct
from archc.formula.tree import Apply, Formula, Literal, Position, Read, numbers
from archc.ir.node import Compute, Loop, Node, Value
from archc.types.tensor_type import REAL, Axis, TensorType


@dataclass(frozen=True)
class Naming:
    """Makes names that the block does not have from hints: for values, for parameters and for the modules of loops."""

    value: Callable[[str], str]
    parameter: Callable[[str], str]
    module: Callable[[str], str]


class Loops(Protocol):
    """A loop that is derived: `node` is it as the nodes before have it."""

    @property
    def node(self) -> Loop:
        """The loop."""

    def back(self, to: Backward) -> None:
        """Hand the adjoints of its results to what it is given and to what it captures."""


Step = Compute | Loops
"""What hands adjoints back: a formula, or a loop."""


class Backward:
    """What each value is given by those that read it, and the nodes that compute its adjoint.

    `active` are the values that depend on what is derived by, `types` those of values that are not among the nodes.
    """

    def __init__(
        self, nodes: Sequence[Node], active: set[str], types: Mapping[str, TensorType], naming: Naming
    ) -> None:
        self.nodes = list(nodes)
        self.active = active
        self.types = {**types, **{value.name: value.type for node in nodes for value in node.results}}
        self.naming = naming
        self.given: dict[str, list[Formula]] = {}
        self.grown: dict[str, Loop] = {}
        """Loops that give more than they did, for what is handed back through them, by their modules."""

    @property
    def finished(self) -> list[Node]:
        """The nodes, with the loops among them giving all that is read."""
        return [self.grown.get(node.module, node) if isinstance(node, Loop) else node for node in self.nodes]

    def give(self, value: str, adjoint: Formula) -> None:
        """Add to the adjoint of a value a formula over its axes."""
        if value in self.active and not is_number(adjoint, 0):
            self.given.setdefault(value, []).append(adjoint)

    def run(self, steps: Sequence[Step]) -> None:
        """Hand adjoints back, last value first."""
        for node in steps:
            if isinstance(node, Compute):
                self.types.setdefault(node.result.name, node.result.type)
        for node in reversed(steps):
            if not isinstance(node, Compute):
                node.back(self)
            elif node.result.name in self.given:
                adjoint = self.adjoint(node.result, node.span, node.path)
                for name in node.formula.reads:
                    if name in self.active:
                        self.give(name, self.back(node, name, adjoint))

    def whole(self, name: str) -> Formula:
        """All that a value is given, over its axes."""
        return total(*self.given.get(name, ()))

    def adjoint(self, value: Value, span: Span, path: tuple[str, ...]) -> Formula:
        """The adjoint of a value, as a number or a read of a value."""
        whole = self.whole(value.name)
        if isinstance(whole, Literal | Read):
            return whole
        return read(self.put(f"{value.name}_adjoint", value.type, whole, span, path))

    def put(self, hint: str, type: TensorType, formula: Formula, span: Span, path: tuple[str, ...]) -> Value:
        """A formula as a value of real numbers over the axes of a type: the value that it reads, or a new one."""
        type = replace(type, kind=REAL)
        if isinstance(formula, Read) and self.types.get(formula.value) == type:
            known = Value(formula.value, type)
            if formula == read(known):
                return known
        result = Value(self.naming.value(hint), type)
        formula = distinct(self.real(formula), frozenset(type.names))
        self.add(Compute(results=(result,), span=span, path=path, formula=formula))
        return result

    def real(self, formula: Formula) -> Formula:
        """The formula as a real number, one of whole numbers times 1.0: its text says no more of its kind."""
        if isinstance(formula, Literal):
            return Literal(float(formula.value))
        return formula if any(map(self.is_real, numbers(formula))) else Apply("mul", (Literal(1.0), formula))

    def is_real(self, number: Formula) -> bool:
        """Whether a read or a number by itself is real."""
        if isinstance(number, Read):
            type = self.types.get(number.value)
            return type is None or not type.kind.is_integer
        return isinstance(number, Literal) and isinstance(number.value, float)

    def add(self, node: Node) -> None:
        """Append a node."""
        self.nodes.append(node)
        self.types.update((value.name, value.type) for value in node.results)

    def back(self, node: Compute, name: str, adjoint: Formula) -> Formula:
        """What a value gives to one that its formula reads, over the axes of that one."""
        type = self.types[name]
        value, formula = node.result, distinct(node.formula, frozenset(type.names))
        taken = {*type.names, *value.type.names, *formula.free}
        names: dict[str, str] = {}
        for axis in value.type.names:
            new = axis
            while new in taken and axis in type.names:
                new = f"{new}_out"
            names[axis] = new
            taken.add(new)
        axes = tuple(Axis(names[axis.name], axis.size) for axis in value.type.axes)
        moved = {old: Position(new) for old, new in names.items() if old != new}
        formula = along(distinct(formula, frozenset(taken)), moved)
        own = Read(value.name, tuple(Position(axis.name) for axis in axes))
        sizes, at = [axis.size for axis in type.axes], [Position(axis) for axis in type.names]
        return pulled_back(formula, name, sizes, at, along(adjoint, moved), axes, own)


def read(value: Value) -> Read:
    """A whole value."""
    return Read(value.name, tuple(Position(name) for name in value.type.names))


def reached(steps: Sequence[Step], start: set[str]) -> set[str]:
    """Some values with those that depend on them through the steps."""
    found = set(start)
    for one in steps:
        node = one if isinstance(one, Compute) else one.node
        if not found.isdisjoint(node.arguments):
            found.update(value.name for value in node.results)
    return found
