"""What is not the same in every run: parts of a net that hold a state, and nets that know whether they train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archc.formula.tree import Formula, Training, walk
from archc.ir.graph import Block, TypedGraph, nested
from archc.ir.node import Assume, Call, Compute, Loop, Node, Operate, Parameter


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
    nodes = tuple(_nodes(graph))
    parts = (part for node in nodes for formula in _own(node) for part in walk(formula))
    return any(has_state(node, graph.blocks) for node in nodes) or any(isinstance(part, Training) for part in parts)


def is_random(graph: TypedGraph) -> bool:
    """Whether the net draws random numbers while it trains."""
    return any(isinstance(node, Operate) and node.operation.draws for node in _nodes(graph))


def _nodes(graph: TypedGraph) -> Iterator[Node]:
    """Every node of a net, those inside others too."""
    stack = [block.region for block in graph.blocks.values()]
    while stack:
        for node in stack.pop().nodes:
            yield node
            stack.extend(nested(node))


def _own(node: Node) -> tuple[Formula, ...]:
    match node:
        case Compute(formula=formula) | Assume(condition=Formula() as formula):
            return (formula,)
        case _:
            return ()
