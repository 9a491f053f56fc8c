"""What becomes a class: a block, or the body of a loop. Which sizes it is built with, and what its parts are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from archc.formula.tree import SizeValue, walk
from archc.ir.graph import Block, Symbol
from archc.ir.node import Call, Loop, Node, Parameter, Region, Scan, Stage, Value
from archc.types.size import Size


@dataclass
class Unit:
    """A class to be. `symbols` are the size symbols of its block, `carried` how many inputs of a loop's body are
    carries, `captured` the values of the enclosing region that it reads, `needed` the symbols its constructor takes, in
    order, `asked` the sizes that its forward takes as numbers, by their symbols: no input of a loop's body tells them.
    """

    hint: str
    block: Block
    region: Region
    is_body: bool
    carried: int = 0
    captured: tuple[Value, ...] = ()
    needed: dict[str, Symbol] = field(default_factory=dict)
    bodies: dict[str, Unit] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    class_name: str = ""

    @property
    def parameters(self) -> list[Parameter]:
        """The parameter nodes in order."""
        return [node for node in self.region.nodes if isinstance(node, Parameter)]

    @property
    def modules(self) -> list[Call | Loop]:
        """The first node of every submodule, in order."""
        found: dict[str, Call | Loop] = {}
        for node in self.region.nodes:
            if isinstance(node, Call | Loop) and node.module:
                found.setdefault(node.module, node)
        return list(found.values())

    @property
    def inputs(self) -> tuple[Value, ...]:
        """Arguments of the forward."""
        return (*self.region.inputs, *self.captured)


def unit_of(block: Block, done: Mapping[str, Unit]) -> Unit:
    """The unit of a block whose callees are done."""
    unit = Unit(block.word, block, block.region, is_body=False)
    _complete(unit, done)
    return unit


def _complete(unit: Unit, done: Mapping[str, Unit]) -> None:
    types = {value.name: value.type for value in unit.captured} | unit.region.values
    for node in unit.region.nodes:
        if isinstance(node, Loop) and node.module and node.direct is None:
            captured = tuple(Value(name, types[name]) for name in node.captures)
            hint = f"{unit.hint}_{node.module}"
            carried = len(node.carries)
            body = Unit(hint, unit.block, node.body, is_body=True, carried=carried, captured=captured)
            _complete(body, done)
            unit.bodies[node.module] = body
    wanted = {symbol for node in unit.region.nodes for symbol in _sizes_needed(node, unit, done)}
    symbols = {symbol.name: symbol for symbol in unit.block.symbols}
    axes = {name: symbol for name, symbol in symbols.items() if symbol.role == "axis" and name in wanted}
    hypers = {n: s for n, s in symbols.items() if s.role != "axis" and (n in wanted or not unit.is_body)}
    unit.needed = axes | hypers


def _sizes_needed(node: Node, unit: Unit, done: Mapping[str, Unit]) -> Iterable[str]:
    """Symbols that must be known to build what a node holds."""
    match node:
        case Parameter():
            yield from _symbols(axis.size for axis in node.result.type.axes)
            if node.formula is not None:
                yield from _symbols(part.size for part in walk(node.formula) if isinstance(part, SizeValue))
            if node.initial is not None:
                yield from _symbols((node.initial.fan_in, node.initial.fan_out))
        case Call():
            sizes = dict(node.sizes)
            yield from _symbols(sizes[name] for name in done[node.block].needed if name in sizes)
        case Loop() if node.module:
            yield from () if isinstance(node, Scan | Stage) else node.passes.symbols
            if node.direct is not None:
                yield from _sizes_needed(node.direct, unit, done)
            else:
                yield from unit.bodies[node.module].needed


def _symbols(sizes: Iterable[Size]) -> Iterable[str]:
    for size in sizes:
        yield from size.symbols
