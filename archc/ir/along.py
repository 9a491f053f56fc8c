"""Regions and blocks evaluated at every position of a further axis at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from archc.formula.rename import distinct
from archc.formula.tree import Formula, Position, Read
from archc.ir.graph import Block, Symbol
from archc.ir.node import Assume, Call, Compute, Node, Operate, Region, Value
from archc.ir.rewrite import values_of, with_names
from archc.types.size import Size
from archc.types.tensor_type import BOOL, Axis, TensorType


class Along:
    """Nodes once for all positions of `axis`. `known` says which values have become ones with the axis in front, by the
    names they had; `fresh` makes a name from a hint, `blocks` are those that the nodes call. What depends on none of
    the known values is kept as it is, once."""

    def __init__(
        self, axis: Axis, known: Mapping[str, str], fresh: Callable[[str], str], blocks: BlocksAlong | None = None
    ) -> None:
        self.axis = axis
        self.known = dict(known)
        self.fresh = fresh
        self.blocks = blocks
        self.nodes: list[Node] = []

    def add(self, nodes: Iterable[Node]) -> None:
        """Nodes in order, each a formula or an operation where it depends on what has the axis; not those whose results
        are known."""
        for node in nodes:
            is_known = bool(node.results) and all(value.name in self.known for value in node.results)
            if not is_known and not self.known.keys().isdisjoint(node.arguments):
                self.nodes.append(self.spread(node))

    def spread(self, node: Node) -> Node:
        """A node that depends on what has the axis. Raises TypeError for a loop."""
        match node:
            case Call(operands=operands) if self.blocks is not None:
                places = tuple(name in self.known for name in operands)
                block, symbol = self.blocks.along(node.block, places, self.axis.name)
                given, sizes = tuple(self.known.get(name, name) for name in operands), dict(node.sizes)
                sizes[symbol] = self.axis.size
                return replace(
                    node, results=self.results(node), operands=given, block=block, sizes=tuple(sizes.items())
                )
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
    known = {names[name]: names[name] for name in inputs}
    return _everywhere(region, Along(outer.axis, known, lambda name: name, outer.blocks), outer.fresh)


def _everywhere(region: Region, inner: Along, fresh: Callable[[str], str]) -> Region:
    """A region some of whose inputs have the axis, which all its outputs have then."""
    nodes: list[Node] = []
    for node in region.nodes:
        if inner.known.keys().isdisjoint(node.arguments):
            nodes.append(node)
        else:
            nodes.append(inner.spread(node))
    types, outputs = region.values, [inner.known.get(name, name) for name in region.outputs]
    for place, name in enumerate(region.outputs):
        if name not in inner.known:
            outputs[place] = fresh(name)
            read = Read(name, tuple(Position(own) for own in types[name].names))
            value = Value(outputs[place], inner.widened(types[name]))
            nodes.append(Compute(results=(value,), span=region.nodes[-1].span, formula=read))
    values = tuple(
        Value(value.name, inner.widened(value.type)) if value.name in inner.known else value for value in region.inputs
    )
    return Region(values, tuple(nodes), tuple(outputs))


class BlocksAlong:
    """The blocks of a graph at every position of a further axis; `made` are those that were asked for, by key, callees
    before callers."""

    def __init__(self, blocks: Mapping[str, Block]) -> None:
        self.blocks = blocks
        self.made: dict[str, Block] = {}
        self.names: dict[tuple[str, tuple[bool, ...], str], tuple[str, str]] = {}

    def along(self, name: str, places: tuple[bool, ...], axis: str) -> tuple[str, str]:
        """The key of a block with the axis in front of some of its inputs and of all its outputs, and the size symbol
        of the axis in it. Its parameters are one set for all positions."""
        key = (name, places, axis)
        if key not in self.names:
            block = self.blocks[name]
            symbol = _fresh(axis, {one.name for one in block.symbols})
            inputs = [value.name for value, is_along in zip(block.region.inputs, places, strict=True) if is_along]
            taken = set(values_of(block.region))

            def fresh(hint: str) -> str:
                taken.add(found := _fresh(hint, taken))
                return found

            inner = Along(Axis(axis, Size.symbol(symbol)), dict(zip(inputs, inputs, strict=True)), fresh, self)
            region = _everywhere(block.region, inner, fresh)
            new = _fresh(f"{name}_along_{axis}", {*self.blocks, *self.made})
            symbols = (*block.symbols, Symbol(symbol, "axis"))
            self.made[new] = replace(block, name=new, symbols=symbols, region=region, claims=())
            self.names[key] = new, symbol
        return self.names[key]


def _fresh(hint: str, taken: Collection[str]) -> str:
    name, number = hint, 2
    while name in taken:
        name, number = f"{hint}_{number}", number + 1
    return name


def _placed(formula: Formula, known: Mapping[str, str], at: Position) -> Formula:
    if isinstance(formula, Read) and formula.value in known:
        indices = tuple(_placed(index, known, at) for index in formula.indices)
        outside = None if formula.outside is None else _placed(formula.outside, known, at)
        return Read(known[formula.value], (at, *indices), outside)
    return formula.rebuild(lambda child: _placed(child, known, at))
