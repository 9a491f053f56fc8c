"""Nodes without readers, left out."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import ClassVar, final

from archc.ir.graph import Block, TypedGraph
from archc.ir.node import Assume, Call, Loop, Node, Parameter, Region, Update
from archc.ir.rewrite import with_nodes, with_regions
from archc.passes.rewrite import ALL, Pass, Rewritten, kept


@final
class DropUnused(Pass):
    """Leaves out nodes whose results nothing reads, and blocks that nothing calls.

    Parameters stay, and so do the calls and loops that hold some, since weights belong to the user; so does whatever
    checks an assumption or changes a state.
    """

    word = "drop_unused"
    preserves: ClassVar[frozenset[str]] = ALL

    def apply(self, graph: TypedGraph) -> Rewritten:
        lasting: set[str] = set()
        blocks: dict[str, Block] = {}
        for name, block in graph.blocks.items():
            region = _live(block.region, lasting)
            if any(_lasts(node, lasting) for node in region.nodes):
                lasting.add(name)
            blocks[name] = block if region is block.region else replace(block, region=region)
        called = {graph.entry}
        for name in reversed(blocks):
            if name in called:
                called.update(blocks[name].callees)
        return kept(replace(graph, blocks={name: block for name, block in blocks.items() if name in called}))


def _live(region: Region, lasting: Container[str]) -> Region:
    """The region without the nodes that nothing needs; `lasting` are the blocks that stay whether read or not."""
    read = set(region.outputs)
    nodes: list[Node] = []
    for node in reversed(region.nodes):
        if not _lasts(node, lasting) and read.isdisjoint(value.name for value in node.results):
            continue
        node = with_regions(node, lambda inner: _live(inner, lasting))
        nodes.append(node)
        read.update(node.arguments)
    nodes.reverse()
    return with_nodes(region, nodes)


def _lasts(node: Node, lasting: Container[str]) -> bool:
    """Whether a node does more than give its results."""
    match node:
        case Parameter() | Assume() | Update():
            return True
        case Call(block=block):
            return block in lasting
        case Loop(body=body):
            return any(_lasts(inner, lasting) for inner in body.nodes)
        case _:
            return False
