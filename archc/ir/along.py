"""A region evaluated at every position of a further axis at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from archc.formula.rename import distinct
from archc.formula.tree import Formula, Position, Read
from archc.ir.node import Assume, Compute, Node, Operate, Region, Value
from archc.ir.rewrite import with_names
from archc.types.tensor_type import BOOL, Axis, TensorType


class Along:
    """Nodes once for all positions of `axis`. `known` says which values have become ones with the axis in front, by the
    names they had; `fresh` makes a name from a hint. What depends on none of them is kept as it is, once."""

    def __init__(self, axis: Axis, known: Mapping[str, str], fresh: Callable[[str], str]) -> None:
        self.axis = axis
        self.known = dict(known)
        self.fresh = fresh
        self.nodes: list[Node] = []

    def add(self, nodes: Iterable[Node]) -> None:
        """Nodes in order, each a formula or an operation where it depends on what has the axis; not those whose results
        are known."""
        for node in nodes:
            is_known = all(value.name in self.known for value in node.results)
            if not is_known and not self.known.keys().isdisjoint(node.arguments):
                self.nodes.append(self.spread(node))

    def spread(self, node: Node) -> Node:
        """A node that depends on what has the axis. Raises TypeError for a call or a loop."""
        match node:
            case Compute(formula=formula):
                return replace(node, results=self.results(node), formula=self.formula(formula, node.result.type))
            case Operate(operands=operands, meaning=meaning):
                inputs = zip(meaning.inputs, operands, strict=True)
                inner = _spread(meaning, [value.name for value, name in inputs if name in self.known], self)
                given = tuple(self.known.get(name, name) for name in operands)
                return replace(node, results=self.results(node), operands=given, meaning=inner)
            case Assume(condition=Formula() as condition, axes=axes):
                placed = self.formula(condition, TensorType(BOOL, axes))
                return replace(node, condition=placed, axes=(self.axis, *axes))
            case _:
                raise TypeError(f"a {type(node).__name__} has no reading along a further axis")

    def results(self, node: Node) -> tuple[Value, ...]:
        found = []
        for value in node.results:
            self.known[value.name] = self.fresh(value.name)
            found.append(Value(self.known[value.name], self.widened(value.type)))
        return tuple(found)

    def widened(self, type: TensorType) -> TensorType:
        """The type with the axis in front."""
        return TensorType(type.kind, (self.axis, *type.axes))

    def formula(self, formula: Formula, type: TensorType) -> Formula:
        """The formula at the position on the axis."""
        apart = distinct(formula, frozenset((self.axis.name, *type.names)))
        return _placed(apart, self.known, Position(self.axis.name))


def _spread(region: Region, inputs: list[str], outer: Along) -> Region:
    """The meaning of an operation, some of its inputs with the axis; all its outputs have it then."""
    names = {value.name: outer.fresh(value.name) for value in region.inputs}
    names |= {value.name: outer.fresh(value.name) for node in region.nodes for value in node.results}
    region = with_names(region, names)
    inner = Along(outer.axis, {}, lambda name: name)
    inner.known = {names[name]: names[name] for name in inputs}
    nodes: list[Node] = []
    for node in region.nodes:
        if inner.known.keys().isdisjoint(node.arguments):
            nodes.append(node)
        else:
            nodes.append(inner.spread(node))
    types, outputs = region.values, list(region.outputs)
    for place, name in enumerate(outputs):
        if name not in inner.known:
            outputs[place] = outer.fresh(name)
            read = Read(name, tuple(Position(own) for own in types[name].names))
            value = Value(outputs[place], outer.widened(types[name]))
            nodes.append(Compute(results=(value,), span=region.nodes[-1].span, formula=read))
    values = tuple(
        Value(value.name, outer.widened(value.type)) if value.name in inner.known else value for value in region.inputs
    )
    return Region(values, tuple(nodes), tuple(outputs))


def _placed(formula: Formula, known: Mapping[str, str], at: Position) -> Formula:
    if isinstance(formula, Read) and formula.value in known:
        indices = tuple(_placed(index, known, at) for index in formula.indices)
        outside = None if formula.outside is None else _placed(formula.outside, known, at)
        return Read(known[formula.value], (at, *indices), outside)
    return formula.rebuild(lambda child: _placed(child, known, at))
