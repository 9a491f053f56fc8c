"""The gradient of a region: its nodes backwards, an adjoint for every value that the inputs reach.

Reverse accumulation (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3) costs a small multiple of the
region, however many inputs there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from archc.base.span import Span
from archc.derive.linear import pulled_back
from archc.derive.region import OpaqueError, is_drawn_inside, meant
from archc.formula.algebra import is_number, total
from archc.formula.rename import along, distinct
from archc.formula.tree import Formula, Literal, Position, Read
from archc.ir.node import Assume, Compute, Node, Operate, Parameter, Region, Repeat, Value
from archc.ir.rewrite import with_names
from archc.types.tensor_type import REAL, Axis, TensorType


@dataclass(frozen=True)
class Gradients:
    """`nodes` compute a region's values and then adjoints; `outputs` are what its outputs are called among them, and
    `gradients` formulas over the inputs' axes."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    gradients: tuple[Formula, ...]


def gradients(
    region: Region,
    inputs: Sequence[str],
    adjoints: Mapping[str, Formula],
    fresh: Callable[[str], str],
    parameter: Callable[[str], str],
) -> Gradients:
    """The gradient, by each of some inputs of a region, of the sum over everything of outputs times adjoints.

    `adjoints` are formulas over the axes of the outputs. `fresh` and `parameter` make names for new values and
    parameters from hints: a loop whose number of passes is known is written out. Raises OpaqueError for other loops and
    calls.
    """
    forward = _Forward(inputs, fresh, parameter)
    for node in region.nodes:
        forward.add(node)
    backward = _Backward(forward.nodes, forward.active, {value.name: value.type for value in region.inputs}, fresh)
    for name, adjoint in adjoints.items():
        backward.give(forward.names.get(name, name), adjoint)
    backward.run(forward.formulas)
    found = tuple(total(*backward.given.get(name, ())) for name in inputs)
    return Gradients(tuple(backward.nodes), tuple(forward.names.get(name, name) for name in region.outputs), found)


class _Forward:
    """The nodes to compute and, of those that depend on the inputs, the ones with a formula, in order.

    `names` says what became of the values of loops that are written out.
    """

    def __init__(self, inputs: Sequence[str], fresh: Callable[[str], str], parameter: Callable[[str], str]) -> None:
        self.active = set(inputs)
        self.fresh = fresh
        self.parameter = parameter
        self.nodes: list[Node] = []
        self.formulas: list[Compute] = []
        self.names: dict[str, str] = {}
        self.is_inside = False  # of a loop, whose names are each pass's own

    def add(self, node: Node, *, is_known: bool = False) -> None:
        """Take a node; one whose value is known already is only derived."""
        if self.names and not self.names.keys().isdisjoint(node.arguments):
            (node,) = with_names(Region((), (node,), ()), self.names).nodes
        is_active = not self.active.isdisjoint(node.arguments)
        is_opened = is_active and is_drawn_inside(node)
        is_written_out = is_opened or (isinstance(node, Repeat) and (is_active or self.is_inside))
        if not is_known and not is_written_out:
            self.nodes.append(node)
        if isinstance(node, Assume) or not (is_active or is_written_out):
            return
        match node:
            case Compute():
                self.formulas.append(node)
                self.active.add(node.result.name)
            case Operate():
                for part, known in meant(node, self.fresh):
                    self.add(part, is_known=known and not is_opened)
            case Repeat() if node.count.constant is not None:
                self.unroll(node, node.count.constant)
            case _:
                raise OpaqueError(node)

    def unroll(self, node: Repeat, count: int) -> None:
        """A loop, one pass after the other."""
        before, self.is_inside = self.is_inside, True
        carries = [self.names.get(name, name) for name in node.initial]
        shared: dict[str, str] = {}
        for _ in range(count):
            names = {value.name: name for value, name in zip(node.body.inputs, carries, strict=True)}
            for part in node.body.nodes:
                is_parameter = isinstance(part, Parameter)
                for value in part.results:
                    names[value.name] = shared.get(value.name) or (self.parameter if is_parameter else self.fresh)(
                        value.name
                    )
                    if is_parameter and node.shared:
                        shared.setdefault(value.name, names[value.name])
            made = {value.name for earlier in self.nodes for value in earlier.results}
            body = with_names(node.body, names)
            for part in body.nodes:
                if not (isinstance(part, Parameter) and part.result.name in made):
                    self.add(part)
            carries = [self.names.get(name, name) for name in body.outputs]
        for value, name in zip(node.results, carries, strict=True):
            self.names[value.name] = name
        self.is_inside = before


class _Backward:
    """What each value is given by those that read it, and the nodes that compute its adjoint."""

    def __init__(
        self, nodes: Sequence[Node], active: set[str], inputs: Mapping[str, TensorType], fresh: Callable[[str], str]
    ) -> None:
        self.nodes = list(nodes)
        self.active = active
        self.types = {**inputs, **{value.name: value.type for node in nodes for value in node.results}}
        self.fresh = fresh
        self.given: dict[str, list[Formula]] = {}

    def give(self, value: str, adjoint: Formula) -> None:
        """Add to the adjoint of a value a formula over its axes."""
        if value in self.active and not is_number(adjoint, 0):
            self.given.setdefault(value, []).append(adjoint)

    def run(self, formulas: Sequence[Compute]) -> None:
        """Hand adjoints back, last value first."""
        for node in formulas:
            self.types.setdefault(node.result.name, node.result.type)
        for node in reversed(formulas):
            value = node.result
            if value.name not in self.given:
                continue
            adjoint = self.adjoint(value, node.span, node.path)
            for name in node.formula.reads:
                if name in self.active:
                    self.give(name, self.back(node, name, adjoint))

    def adjoint(self, value: Value, span: Span, path: tuple[str, ...]) -> Formula:
        """The adjoint of a value, as a number or a read of a value."""
        whole = total(*self.given[value.name])
        if isinstance(whole, Literal | Read):
            return whole
        names = frozenset(value.type.names)
        result = Value(self.fresh(f"{value.name}_adjoint"), replace(value.type, kind=REAL))
        self.nodes.append(Compute(results=(result,), span=span, path=path, formula=distinct(whole, names)))
        return Read(result.name, tuple(Position(name) for name in value.type.names))

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
