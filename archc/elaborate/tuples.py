"""Ports that are tuples: a graph knows tensors alone, so each becomes one port for every part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archc.syntax import tree

Shape = str | tuple["Shape", ...]
"""What a port of the signature stands for: the name of a flat port, or the parts of a tuple."""


@dataclass(frozen=True)
class Flattened:
    """A definition as it is written and without tuples, and what its ports were: by name for inputs, in order for
    outputs."""

    written: tree.Definition
    tree: tree.Definition
    inputs: Mapping[str, Shape]
    outputs: tuple[Shape, ...]


def flattened(definition: tree.Definition) -> Flattened:
    """The definition with `state: (real[d], real[d])` as `state_1: real[d]` and `state_2: real[d]`."""
    inputs = {port.name: _shape(port.name, port.type) for port in definition.inputs}
    outputs = tuple(_shape(port.name, port.type) for port in definition.outputs)
    if not any(isinstance(port.type, tree.TupleType) for port in (*definition.inputs, *definition.outputs)):
        return Flattened(definition, definition, inputs, outputs)
    flat = replace(
        definition,
        inputs=tuple(part for port in definition.inputs for part in _parts(port)),
        outputs=tuple(part for port in definition.outputs for part in _parts(port)),
    )
    return Flattened(definition, flat, inputs, outputs)


def ports_of(shape: Shape) -> Iterator[str]:
    """The flat ports of a shape in order."""
    if isinstance(shape, str):
        yield shape
    else:
        for part in shape:
            yield from ports_of(part)


def _shape(name: str, type: tree.Type | tree.TupleType) -> Shape:
    if isinstance(type, tree.TupleType):
        return tuple(_shape(f"{name}_{number}", item) for number, item in enumerate(type.items, 1))
    return name


def _parts(port: tree.Port) -> Iterator[tree.Port]:
    """One port for every part; a start written as a tuple is taken apart with it, another one is that of each part."""
    if not isinstance(port.type, tree.TupleType):
        yield port
        return
    items: Sequence[tree.Type | tree.TupleType] = port.type.items
    given = port.default.items if isinstance(port.default, tree.Group) else ()
    starts = given if len(given) == len(items) else (port.default,) * len(items)
    for number, (item, start) in enumerate(zip(items, starts, strict=True), 1):
        yield from _parts(replace(port, name=f"{port.name}_{number}", type=item, default=start))
