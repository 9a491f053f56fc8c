"""Nodes and regions made anew with other names, formulas or nested regions; what stays the same is not copied."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from archc.formula.tree import Formula, Read
from archc.ir.node import Assume, Call, Compute, Loop, Node, Operate, Parameter, Region, Scan, Update
from archc.types.tensor_type import TensorType


def renamed(formula: Formula, names: Mapping[str, str]) -> Formula:
    """The formula with some of the values that it reads under other names."""
    if names.keys().isdisjoint(formula.reads):
        return formula
    if isinstance(formula, Read):
        formula = Read(names.get(formula.value, formula.value), formula.indices, formula.outside)
    return formula.rebuild(lambda child: renamed(child, names))


def reading(node: Node, names: Mapping[str, str]) -> Node:
    """The node with some of the values that it reads under other names, in its nested regions too."""
    if names.keys().isdisjoint(node.arguments):
        return node
    if isinstance(node, Operate | Call):
        return replace(node, operands=tuple(names.get(name, name) for name in node.operands))
    if isinstance(node, Loop):
        initial = tuple(names.get(name, name) for name in node.initial)
        nodes = tuple(reading(inner, names) for inner in node.body.nodes)
        outputs = tuple(names.get(name, name) for name in node.body.outputs)
        node = replace(node, initial=initial, body=replace(node.body, nodes=nodes, outputs=outputs))
        if isinstance(node, Scan):
            return replace(node, slices=tuple(names.get(name, name) for name in node.slices))
        return node
    if isinstance(node, Update):
        return replace(node, state=names.get(node.state, node.state), value=names.get(node.value, node.value))
    return with_formulas(node, lambda formula: renamed(formula, names))


def with_formulas(node: Node, change: Callable[[Formula], Formula]) -> Node:
    """The node with its own formula, where it has one, changed."""
    match node:
        case Compute(formula=formula) | Parameter(formula=Formula() as formula):
            changed = change(formula)
            return node if changed is formula else replace(node, formula=changed)
        case Assume(condition=Formula() as condition):
            changed = change(condition)
            return node if changed is condition else replace(node, condition=changed)
        case _:
            return node


def with_regions(node: Node, change: Callable[[Region], Region]) -> Node:
    """The node with its nested regions changed."""
    match node:
        case Loop(body=region):
            changed = change(region)
            return node if changed is region else replace(node, body=changed)
        case Operate(meaning=region):
            changed = change(region)
            return node if changed is region else replace(node, meaning=changed)
        case _:
            return node


def with_nodes(region: Region, nodes: Sequence[Node], outputs: tuple[str, ...] | None = None) -> Region:
    """The region with other nodes and, where they are given, other outputs."""
    outputs = region.outputs if outputs is None else outputs
    is_same = len(nodes) == len(region.nodes) and all(map(operator.is_, nodes, region.nodes))
    return region if is_same and outputs == region.outputs else Region(region.inputs, tuple(nodes), outputs)


def with_names(region: Region, names: Mapping[str, str]) -> Region:
    """The region with some of its values called otherwise, where they are defined and where they are read."""
    inputs = tuple(replace(value, name=names.get(value.name, value.name)) for value in region.inputs)
    nodes = []
    for node in region.nodes:
        node = reading(node, names)
        if isinstance(node, Loop):
            node = replace(node, body=with_names(node.body, names))
        results = tuple(replace(value, name=names.get(value.name, value.name)) for value in node.results)
        nodes.append(node if results == node.results else replace(node, results=results))
    return Region(inputs, tuple(nodes), tuple(names.get(name, name) for name in region.outputs))


def values_of(region: Region) -> dict[str, TensorType]:
    """The type of every value of a region and of the loops in it; what operations mean is their own."""
    found = region.values
    for node in region.nodes:
        if isinstance(node, Loop):
            found |= values_of(node.body)
    return found
