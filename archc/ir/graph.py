"""The typed graph of a net: its blocks, each a region, and the NetworkX graph that tools look at.

`Block` is a specialised block: its hyper-parameters of other kinds than numbers are bound, its sizes are symbols. Two
uses that differ only in sizes share one block and so one generated class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from archc.base.span import Span
from archc.ir.node import Call, Loop, Node, Operate, Region, Value
from archc.syntax.tree import Definition
from archc.types.size import Condition, Size

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class Symbol:
    """A size symbol of a block. `role` is `hyper` (a keyword argument of the class, `default` its value where it has
    one) or `axis` (the size of an input axis, known when the module runs)."""

    name: str
    role: str
    default: int | None = None


@dataclass(frozen=True)
class Claim:
    """A symmetry claim of a signature as it was written; `verdict` says what is known of it."""

    text: str
    verdict: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Requirement:
    """A condition on sizes that must hold for the block to make sense, and where it was asked for."""

    condition: Condition
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Block:
    """One specialised block or net.

    `name` is its key; `word` the name in the spec; `symbols` its size symbols in order; `facts` the conditions its
    `where` promises; `requirements` what it needs of its hyper-parameters. Inputs carry lifted axes first. `definition`
    is how the spec writes it, static choices included.
    """

    name: str
    word: str
    role: str
    symbols: tuple[Symbol, ...]
    region: Region
    output_names: tuple[str, ...]
    facts: tuple[Condition, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    claims: tuple[Claim, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
    definition: Definition | None = field(default=None, compare=False, repr=False)

    @property
    def callees(self) -> tuple[str, ...]:
        """Keys of the blocks it calls, in order of first use."""
        found: dict[str, None] = {}
        stack = [self.region]
        while stack:
            region = stack.pop()
            for node in region.nodes:
                if isinstance(node, Call):
                    found[node.block] = None
                stack.extend(nested(node))
        return tuple(found)

    @property
    def outputs(self) -> tuple[Value, ...]:
        """The results under their port names."""
        types = self.region.values
        return tuple(
            Value(name, types[source]) for name, source in zip(self.output_names, self.region.outputs, strict=True)
        )


@dataclass(frozen=True)
class TypedGraph:
    """A checked net: every value has a type, every size is closed over the symbols of its block.

    `blocks` are keyed by name, callees before callers, the net last; `entry` is the net's key. `source` is the text of
    the spec, `path` where it came from, `options` the hyper-parameters it was built with.
    """

    entry: str
    blocks: Mapping[str, Block]
    source: str = field(default="", compare=False, repr=False)
    path: str = field(default="", compare=False)
    options: tuple[tuple[str, object], ...] = ()

    @property
    def net(self) -> Block:
        """The block of the compile target."""
        return self.blocks[self.entry]

    @cached_property
    def nx(self) -> nx.MultiDiGraph[str]:
        """Every node of every block, nested regions included, as a frozen NetworkX graph.

        Vertices are `block/value` (`block/repeat/value` inside a loop) in program order, with attributes `node`,
        `type`, `kind` and `block`; edges run from operand to user with the operand's `port`.
        """
        import networkx as nx  # a heavy import, for those who look at the graph as one

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(entry=self.entry)
        for block in self.blocks.values():
            _draw(graph, block.region, block.name, {})
        frozen: nx.MultiDiGraph[str] = nx.freeze(graph)
        return frozen


def _draw(graph: nx.MultiDiGraph[str], region: Region, prefix: str, scope: Mapping[str, str]) -> dict[str, str]:
    """Add a region under a prefix; returns the vertex of each value it defines."""
    vertices = dict(scope)

    def add(value: Value, node: Node | None) -> None:
        vertex = f"{prefix}/{value.name}"
        kind = "Input" if node is None else type(node).__name__
        graph.add_node(vertex, node=node, type=value.type, kind=kind, block=prefix.split("/", maxsplit=1)[0])
        vertices[value.name] = vertex

    for value in region.inputs:
        add(value, None)
    for node in region.nodes:
        for value in node.results:
            add(value, node)
            for port, name in enumerate(node.arguments):
                graph.add_edge(vertices[name], vertices[value.name], port=port)
        if isinstance(node, Loop):
            inner = _draw(graph, node.body, f"{prefix}/{node.module}", vertices)
            for start, carry in zip(node.given, node.body.inputs, strict=True):
                graph.add_edge(vertices[start], inner[carry.name], port=0)
            for end, value in zip(node.body.outputs, node.results, strict=True):
                graph.add_edge(inner[end], vertices[value.name], port=0)
    return vertices


def nested(node: Node) -> tuple[Region, ...]:
    """The regions inside a node."""
    if isinstance(node, Loop):
        return (node.body,)
    return (node.meaning,) if isinstance(node, Operate) else ()


__all__ = ["Block", "Call", "Claim", "Requirement", "Size", "Symbol", "TypedGraph", "nested"]
