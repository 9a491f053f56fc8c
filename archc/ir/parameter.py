"""Where every tensor of a net lives: the state-dict names of the generated module.

An instance of a block prefixes its module's name. A `repeat` with its own weights holds one element per pass under its
module's name and the number of the pass; a shared one holds its only element there. When the whole body of a `repeat`
is one call, the elements are the called block itself, so the call's own name is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archc.ir.attribute import attribute
from archc.ir.graph import TypedGraph
from archc.ir.node import Call, Loop, Parameter, Region
from archc.types.size import Size

ANY = "*"
"""Stands for the number of the pass in the paths of a symbolic listing."""


@dataclass(frozen=True)
class Placed:
    """A parameter at its place in the net.

    `path` is its state-dict name; `shape` and `count` are in the net's size symbols. `count` is how many tensors the
    path stands for: 1, unless it contains `*`. `sizes` is what the size symbols of its block stand for.
    """

    path: str
    parameter: Parameter
    block: str
    shape: tuple[Size, ...]
    count: Size
    sizes: Mapping[str, Size] = field(compare=False, repr=False)

    @property
    def entries(self) -> Size:
        """How many numbers the path stands for."""
        total = self.count
        for size in self.shape:
            total = total * size
        return total


def parameters(graph: TypedGraph, hypers: Mapping[str, int] | None = None) -> tuple[Placed, ...]:
    """Every parameter, constant and state of the net in program order, each shared one once.

    With `hypers`, values for the net's size symbols (defaults fill the gaps), each pass of a `repeat` is listed by its
    number; without, one path with `*` stands for all passes. Raises KeyError when a count needs a symbol that has
    neither a value nor a default.
    """
    values = None
    if hypers is not None:
        defaults = {symbol.name: symbol.default for symbol in graph.net.symbols if symbol.default is not None}
        values = defaults | dict(hypers)
    names = [symbol.name for symbol in graph.net.symbols]
    listing = _Listing(graph, values)
    found = listing.region(graph.net.region, graph.entry, "", {name: Size.symbol(name) for name in names}, Size.of(1))
    return tuple({placed.path: placed for placed in found}.values())


def places(graph: TypedGraph) -> int:
    """How many instances of blocks and parameters a net is made of, where all passes of a loop count as one: each block
    is counted once, however often it stands in the net."""
    found: dict[str, int] = {}
    for name, block in graph.blocks.items():  # callees before callers
        found[name] = 1 + _places(block.region, found)
    return found[graph.entry]


def _places(region: Region, blocks: Mapping[str, int]) -> int:
    own = sum(isinstance(node, Parameter) for node in region.nodes)
    modules: dict[str, int] = {}
    for node in region.nodes:
        if isinstance(node, Call):
            modules[node.module] = blocks[node.block]
        elif isinstance(node, Loop):
            modules[node.module] = _places(node.body, blocks)
    return own + sum(modules.values())


@dataclass(frozen=True)
class _Listing:
    """One walk over the hierarchy; `values` are those of the net's symbols, None for a symbolic listing."""

    graph: TypedGraph
    values: Mapping[str, int] | None
    listed: set[str] = field(default_factory=set)

    def region(
        self, region: Region, block: str, prefix: str, sizes: Mapping[str, Size], count: Size
    ) -> Iterator[Placed]:
        """The parameters below `region`, whose symbols stand for `sizes` of the net."""
        for node in region.nodes:
            if isinstance(node, Parameter):
                shape = tuple(axis.size.substitute(sizes) for axis in node.result.type.axes)
                yield Placed(prefix + attribute(node.result.name), node, block, shape, count, sizes)
            elif isinstance(node, Call):
                yield from self.call(node, f"{prefix}{attribute(node.module)}.", sizes, count)
            elif isinstance(node, Loop):
                for inner, times in self.passes(node, prefix, sizes):
                    if (direct := node.direct) is not None:
                        yield from self.call(direct, inner, sizes, count * times)
                    else:
                        yield from self.region(node.body, block, inner, sizes, count * times)

    def call(self, call: Call, prefix: str, sizes: Mapping[str, Size], count: Size) -> Iterator[Placed]:
        """The parameters of an instance, found below `prefix`; of a shared one where it is first used."""
        if prefix in self.listed:
            return
        self.listed.add(prefix)
        inner = {name: size.substitute(sizes) for name, size in call.sizes}
        yield from self.region(self.graph.blocks[call.block].region, call.block, prefix, inner, count)

    def passes(self, loop: Loop, prefix: str, sizes: Mapping[str, Size]) -> Iterable[tuple[str, Size]]:
        """The prefix of each set of weights of a loop, and how many sets it stands for."""
        times, one = loop.weights.substitute(sizes), Size.of(1)
        if loop.is_shared:
            return [(f"{prefix}{attribute(loop.module)}.", one)]
        if self.values is None:
            return [(f"{prefix}{attribute(loop.module)}.{ANY}.", times)]
        return [(f"{prefix}{attribute(loop.module)}.{i}.", one) for i in range(times.evaluate(self.values))]
