"""Input ports that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, final

from archc.base.diagnostic import Diagnostic
from archc.checks.check import Check
from archc.checks.mention import definitions, mentions
from archc.ir.graph import TypedGraph
from archc.syntax import tree


class UnusedInput(Diagnostic):
    """An input port is declared and nothing reads it: neither its entries nor the sizes of its axes matter.

        block f(x: real[d], y: real[d]) -> (z: real[d]) { return x + x }     # wrong: `y` does nothing
        block f(x: real[d], y: real[d]) -> (z: real[d]) { return x + y }     # right

    A name that begins with `_` is meant not to be read.
    """

    code = "W0703"
    title = "the input `{name}` is never read"
    severity: ClassVar[Literal["error", "warning", "note"]] = "warning"


@final
class UnusedInputCheck(Check):
    """An input port that nothing reads."""

    word = "unused_input"

    def find(self, graph: TypedGraph) -> Iterator[Diagnostic]:
        for definition in definitions(graph):
            read = mentions(definition.body, *definition.outputs, *definition.conditions)
            for port in definition.inputs:
                if port.name not in read and not port.name.startswith("_") and not _measures(port, definition, read):
                    help = f"use it, remove it, or call it `_{port.name}`"
                    yield UnusedInput(port.span.word(port.name), name=port.name, help=help)


def _measures(port: tree.Port, definition: tree.Definition, read: set[str]) -> bool:
    """Whether the port is what tells the size of an axis that the block speaks of."""
    others = mentions(*(other.type for other in definition.inputs if other is not port))
    return bool(mentions(port.type) & read - others)
