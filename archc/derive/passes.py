"""The passes of loops, taken out of them: parameters that all share, names of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from archc.derive.adjoint import Naming
from archc.derive.region import is_drawn_inside
from archc.ir.node import Fixpoint, Loop, Node, Operate, Parameter, Region, Repeat, Scan, Value
from archc.ir.rewrite import values_of, with_names, with_nodes, with_regions

Looping = TypeVar("Looping", Scan, Fixpoint)


def outside(loop: Looping) -> tuple[list[Node], Looping]:
    """The parameters that all passes of a loop share, and the loop without them."""
    body = hoisted(loop.body)
    own: list[Node] = [node for node in body.nodes if isinstance(node, Parameter)]
    return own, replace(loop, body=with_nodes(body, [node for node in body.nodes if not isinstance(node, Parameter)]))


def hoisted(region: Region) -> Region:
    """The region with the parameters of the scans and fixed points in it before these."""
    nodes: list[Node] = []
    for node in region.nodes:
        match node:
            case Scan():
                own, inner = outside(node)
                nodes += [*own, inner]
            case Fixpoint():
                own, solved = outside(node)
                nodes += [*own, solved]
            case Repeat():
                nodes.append(with_regions(node, hoisted))
            case _:
                nodes.append(node)
    return with_nodes(region, nodes)


def anew(nodes: Iterable[Node], names: Mapping[str, str], naming: Naming) -> Region:
    """Nodes once more, some values that they read under other names, and all that they define under fresh ones. The
    outputs of the region are what the results are called."""
    nodes = tuple(nodes)
    fresh = {name: naming.value(name) for name in values_of(Region((), nodes, ()))}
    results = tuple(value.name for node in nodes for value in node.results)
    return with_names(Region((), tuple(with_modules(one, naming) for one in nodes), results), {**names, **fresh})


def apart(node: Node, naming: Naming) -> Node:
    """A node of one pass of several: what a loop that is not written out has inside is that pass's own."""
    if not isinstance(node, Scan | Fixpoint):
        return node
    weights = {value.name for value in _parameters(node.body)}
    fresh = {name: (naming.parameter if name in weights else naming.value)(name) for name in values_of(node.body)}
    (found,) = with_names(Region((), (with_modules(node, naming),), ()), fresh).nodes
    return found


def _parameters(region: Region) -> list[Value]:
    """The parameters of a region and of the loops in it."""
    found: list[Value] = []
    for node in region.nodes:
        if isinstance(node, Parameter):
            found.append(node.result)
        elif isinstance(node, Loop):
            found += _parameters(node.body)
    return found


def with_modules(node: Node, naming: Naming) -> Node:
    """A node with the modules of the loops in it under fresh names."""
    if not isinstance(node, Loop):
        return node
    nodes = tuple(with_modules(inner, naming) for inner in node.body.nodes)
    return replace(node, body=with_nodes(node.body, nodes), module=naming.module(node.module))


def draws(region: Region) -> bool:
    """Whether an operation of the region draws random numbers, or one of a loop in it."""
    return any(
        draws(node.body)
        if isinstance(node, Loop)
        else isinstance(node, Operate) and (node.operation.draws or is_drawn_inside(node))
        for node in region.nodes
    )
