"""What `archc explain` says of an operation, a function, a reduction or an initialiser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import cleandoc
from math import inf
from textwrap import indent

from archc import driver
from archc.ir.node import Operate
from archc.ops.operation import Attribute, Initialiser, Operation, Pointwise, Reduction, Sample

Entry = type[Operation] | type[Pointwise] | type[Reduction] | type[Initialiser]

_SORTS = {"new axes": "axes", "new axis": "axis", "size": "int"}
"""Sorts of attributes that users know by another word."""

_WRITTEN = {
    "and": "a and b",
    "or": "a or b",
    "not": "not a",
    "neg": "-a",
    "pow": "a ^ b",
    "maximum": "max(a, b)",
    "minimum": "min(a, b)",
    "where": "where(condition, a, b)",
}
"""Functions that the language writes in a way of its own."""


def sheet(entry: Entry) -> str:
    """Everything a user needs to write it, as paragraphs."""
    return "\n\n".join([f"{entry.word}: {cleandoc(entry.__doc__ or '')}", *_details(entry)])


def _details(entry: Entry) -> Iterator[str]:
    if issubclass(entry, Operation):
        sample = next(sample for sample in entry.samples if sample.code is None)
        yield _headed("attributes", _attributes(entry))
        yield _headed("example", [f"({sample.inputs}) -> (y: {sample.output}) {{ return {sample.body} }}"])
        if formula := entry.formula or _formula(entry, sample):
            yield _headed("formula", cleandoc(formula).split("\n"))
    elif issubclass(entry, Pointwise):
        fields = [f"{name}: real = {field.default}" for name, field in entry.model_fields.items()]
        if fields:
            yield _headed("attributes", fields)
        if entry.low > -inf or entry.high < inf:
            yield _headed("domain", [f"from {entry.low:g} to {entry.high:g}"])
        yield _headed("example", _uses(entry))
    elif issubclass(entry, Reduction):
        word = entry.word
        yield _headed("example", [f"{word} d: x", f"{word} d where keep: x", f"x |> {word}(over = d)"])
    else:
        values = ", ".join(["0.1"] * max(entry.least, min(1, len(entry.arguments))))
        yield _headed("example", [f"param w: real[h: 64, d] = {entry.word}{f'({values})' if values else ''}"])


def _headed(title: str, lines: Iterable[str]) -> str:
    return f"{title}:\n{indent(chr(10).join(lines), '    ')}"


def _attributes(entry: type[Operation]) -> Iterator[str]:
    defaults = [field.default for field in entry.model_fields.values()]
    found = [attribute.name for attribute in entry.attributes()]
    if found == ["source", "target"]:
        yield "source -> target: axes"
        return
    yield from map(_attribute, entry.attributes(), defaults)


def _attribute(attribute: Attribute, default: object) -> str:
    sort = f"choice({', '.join(attribute.choices)})" if attribute.choices else attribute.sort
    shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
    chosen = "" if attribute.required else " (may be left out)" if default in (None, ()) else f" = {shown}"
    return f"{attribute.name}: {_SORTS.get(sort, sort)}{chosen}"


def _formula(entry: type[Operation], sample: Sample) -> str:
    """The formula in a use of the operation, where it depends on how it is used; nothing where it becomes a part of the
    formula around it."""
    typed = driver.graph(sample.spec)
    nodes = [node for block in typed.blocks.values() for node in block.region.nodes]
    used = (node for node in nodes if isinstance(node, Operate) and isinstance(node.operation, entry))
    return next((node.operation.meaning(len(node.operands)) for node in used), "")


def _uses(entry: type[Pointwise]) -> list[str]:
    if entry.word in _WRITTEN:
        return [_WRITTEN[entry.word]]
    if entry.infix:
        return [f"a {entry.infix} b"]
    if entry.arity != 1:
        return [f"{entry.word}(a, b)"]
    given = "".join(f", {name} = {field.default}" for name, field in entry.model_fields.items())
    return [f"{entry.word}(x{given})", f"x |> {entry.word}", f"x |> layer(d -> h: 64, neuron = {entry.word})"]
