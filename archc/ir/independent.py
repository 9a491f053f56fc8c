"""Axes along which a region treats every position by itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from archc.formula.tree import Position, Read, Reduce, walk
from archc.ir.graph import Block
from archc.ir.node import Assume, Call, Compute, Loop, Node, Operate, Parameter, Region, Scan
from archc.types.tensor_type import TensorType


def independent(
    region: Region,
    axes: Mapping[str, str],
    blocks: Mapping[str, Block],
    around: Mapping[str, TensorType] = MappingProxyType({}),
) -> tuple[str, ...] | None:
    """Where an axis of some inputs goes, or None where positions along it may meet.

    `axes` names that axis for the inputs that have it, and for values `around` the region. Returns its name in every
    output: each entry of an output then depends on the entries of those inputs at its own position alone. Inputs
    without it are the same everywhere.
    """
    known = dict(axes)
    types = {**around, **region.values}
    for node in region.nodes:
        found = _through(node, known, types, blocks)
        if found is None:
            return None
        known.update(found)
    if not all(name in known for name in region.outputs):
        return None
    return tuple(known[name] for name in region.outputs)


def _through(
    node: Node, known: Mapping[str, str], types: Mapping[str, TensorType], blocks: Mapping[str, Block]
) -> dict[str, str] | None:
    """The axis in what a node gives; nothing where it does not read what has the axis, None where positions meet."""
    if not any(name in known for name in node.arguments):
        return {}
    match node:
        case Compute(formula=formula):
            bound = {axis.name for part in walk(formula) if isinstance(part, Reduce) for axis in part.axes}
            places: set[str] = set()
            for part in walk(formula):
                if isinstance(part, Read) and part.value in known:
                    index = part.indices[types[part.value].names.index(known[part.value])]
                    if not isinstance(index, Position) or index.axis in bound:
                        return None
                    places.add(index.axis)
            return {node.result.name: places.pop()} if len(places) == 1 else None
        case Operate(operands=operands, meaning=meaning):
            return _called(node, operands, meaning, known, blocks)
        case Call(operands=operands, block=block):
            return _called(node, operands, blocks[block].region, known, blocks)
        case Loop():
            return _looped(node, known, types, blocks)
        case Assume() | Parameter():
            return {}
        case _:
            return None


def _called(
    node: Node, operands: tuple[str, ...], region: Region, known: Mapping[str, str], blocks: Mapping[str, Block]
) -> dict[str, str] | None:
    given = {value.name: known[name] for value, name in zip(region.inputs, operands, strict=True) if name in known}
    found = independent(region, given, blocks)
    return None if found is None else {value.name: axis for value, axis in zip(node.results, found, strict=True)}


def _looped(
    node: Loop, known: Mapping[str, str], types: Mapping[str, TensorType], blocks: Mapping[str, Block]
) -> dict[str, str] | None:
    """Through a loop that keeps the axis under its name; one that gains it on the way is not followed."""
    given = {value.name: known[name] for value, name in zip(node.body.inputs, node.given, strict=True) if name in known}
    captured = {name: known[name] for name in node.captures if name in known}
    if isinstance(node, Scan) and node.axis.name in {*given.values(), *captured.values()}:
        return None
    found = independent(node.body, {**given, **captured}, blocks, types)
    if found is None or any(given.get(value.name) != axis for value, axis in zip(node.carries, found, strict=False)):
        return None
    return {value.name: axis for value, axis in zip(node.results, found, strict=True)}
