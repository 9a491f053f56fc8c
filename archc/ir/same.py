"""When two graphs say the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from archc.ir.graph import Block, TypedGraph
from archc.ir.node import Loop, Region


def same(one: TypedGraph, other: TypedGraph) -> bool:
    """Whether two graphs are equal, wherever they came from: not compared are spans and paths, the options and the text
    of the spec, what a specialised block was called, and which of its conditions its `where` wrote."""
    return next(differences(one, other), None) is None


def differences(one: TypedGraph, other: TypedGraph) -> Iterator[str]:
    """What sets two graphs apart, a line for each place."""
    if one.entry != other.entry or list(one.blocks) != list(other.blocks):
        yield f"{one.entry} of {', '.join(one.blocks)} is not {other.entry} of {', '.join(other.blocks)}"
        return
    for name, block in one.blocks.items():
        yield from (f"{name}: {what}" for what in _between_blocks(block, other.blocks[name]))


def _between_blocks(one: Block, other: Block) -> Iterator[str]:
    if one.role != other.role:
        yield f"{one.role} is not {other.role}"
    if one.symbols != other.symbols:
        yield f"{one.symbols} are not {other.symbols}"
    if one.output_names != other.output_names:
        yield f"{one.output_names} are not {other.output_names}"
    if _conditions(one) != _conditions(other):
        yield f"{sorted(map(str, _conditions(one)))} are not {sorted(map(str, _conditions(other)))}"
    yield from _between_regions(one.region, other.region)


def _conditions(block: Block) -> set[object]:
    conditions = (*block.facts, *(requirement.condition for requirement in block.requirements))
    return {condition for condition in conditions if condition.symbols}


def _between_regions(one: Region, other: Region) -> Iterator[str]:
    if one.inputs != other.inputs:
        yield f"{one.inputs} are not {other.inputs}"
    for node, twin in zip_longest(one.nodes, other.nodes):
        if isinstance(node, Loop) and isinstance(twin, Loop):
            yield from _between_regions(node.body, twin.body)
        if node != twin:
            yield f"{node} is not {twin}"
    if one.outputs != other.outputs:
        yield f"{one.outputs} are not {other.outputs}"
