"""What is not the same in every run: parts of a net that hold a state, and nets that know whether they train."""

from __future__ import annotations

from collections.abc import Mapping

from archc.formula.tree import Formula, Training, walk
from archc.ir.graph import Block, TypedGraph, nested
from archc.ir.node import Assume, Call, Compute, Loop, Node, Parameter, Region


def has_state(node: Node, blocks: Mapping[str, Block]) -> bool:
    """Whether a node declares a state, itself or in what it calls."""
    match node:
        case Parameter(role=role):
            return role == "state"
        case Call(block=block):
            return any(has_state(inner, blocks) for inner in blocks[block].region.nodes)
        case Loop(body=body):
            return any(has_state(inner, blocks) for inner in body.nodes)
        case _:
            return False


def trains_apart(graph: TypedGraph) -> bool:
    """Whether the net may do something else while it trains, or change a state in any mode."""
    return any(_trains_apart(block.region, graph.blocks) for block in graph.blocks.values())


def _trains_apart(region: Region, blocks: Mapping[str, Block]) -> bool:
    for node in region.nodes:
        if has_state(node, blocks) or any(_trains_apart(inner, blocks) for inner in nested(node)):
            return True
        match node:
            case Compute(formula=formula) | Assume(condition=Formula() as formula):
                if any(isinstance(part, Training) for part in walk(formula)):
                    return True
            case _:
                pass
    return False
