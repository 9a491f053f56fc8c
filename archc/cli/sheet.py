"""What `archc explain` says of an operation, a function, a reduction or an initialiser: meaning, attributes, example."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from inspect import cleandoc
from math import inf

from archc.ops.operation import Attribute, Initialiser, Operation, Pointwise, Reduction

Entry = type[Operation] | type[Pointwise] | type[Reduction] | type[Initialiser]

_SIGNS = {"and": "and", "or": "or", "pow": "^"}
"""Where the language writes another sign than Python."""

_CALLS = {
    "neg": "-a",
    "not": "not a",
    "maximum": "max(a, b)",
    "minimum": "min(a, b)",
    "where": "where(condition, a, b)",
}
_SORTS = {"new axes": "axes", "size": "int"}
"""Sorts of attributes whose name in the language is another."""


def sheet(entry: Entry) -> str:
    """Everything a user needs to write it, as paragraphs."""
    doc = cleandoc(entry.__doc__ or "")
    paragraphs = [f"{entry.word}: {doc}", *_more(entry)]
    return "\n\n".join(paragraphs)


def _more(entry: Entry) -> Iterable[str]:
    if issubclass(entry, Operation):
        return _of_operation(entry)
    if issubclass(entry, Pointwise):
        return _of_function(entry)
    return _of_reduction(entry) if issubclass(entry, Reduction) else _of_initialiser(entry)


def _of_operation(entry: type[Operation]) -> Iterable[str]:
    if entry.formula:
        yield f"formula:\n{_indented(cleandoc(entry.formula))}"
    yield from _attributes(map(_attribute, entry.attributes(), _defaults(entry)))
    sample = next(sample for sample in entry.samples if sample.code is None)
    yield f"example:\n    ({sample.inputs}) -> (y: {sample.output}) {{ return {sample.body} }}"


def _of_function(entry: type[Pointwise]) -> Iterable[str]:
    yield from _attributes(
        f"{name}: real = {default}" for name, default in zip(entry.model_fields, _defaults(entry), strict=True)
    )
    if entry.low > -inf or entry.high < inf:
        yield f"domain: from {entry.low:g} to {entry.high:g}"
    yield f"example: {_written(entry)}"


def _written(entry: type[Pointwise]) -> str:
    if entry.word in _CALLS:
        return _CALLS[entry.word]
    if entry.infix or entry.word in _SIGNS:
        return f"a {_SIGNS.get(entry.word, entry.infix)} b"
    if entry.arity != 1:
        return f"{entry.word}(a, b)"
    first = next(iter(entry.model_fields), None)
    given = f", {first} = {entry.model_fields[first].default}" if first else ""
    return f"{entry.word}(x{given}), x |> {entry.word}, x |> layer(d -> h: 64, neuron = {entry.word})"


def _of_reduction(entry: type[Reduction]) -> Iterable[str]:
    yield f"example: {entry.word} d: x, {entry.word} d where keep: x, x |> {entry.word}(over = d)"


def _of_initialiser(entry: type[Initialiser]) -> Iterable[str]:
    shown = ", ".join(f"{name} = 0.1" for name in entry.arguments[: max(entry.least, 1)])
    del shown
    values = ", ".join(["0.1"] * max(entry.least, min(1, len(entry.arguments))))
    yield f"example: param w: real[h: 64, d] = {entry.word}" + (f"({values})" if values else "")


def _attributes(lines: Iterable[str]) -> Iterable[str]:
    if found := "\n".join(f"    {line}" for line in lines):
        yield f"attributes:\n{found}"


def _attribute(attribute: Attribute, default: object) -> str:
    choices = f"choice({', '.join(attribute.choices)})" if attribute.choices else ""
    sort = choices or _SORTS.get(attribute.sort, attribute.sort)
    return f"{attribute.name}: {sort}" + ("" if attribute.required or default is None else f" = {default}")
