"""Values that are computed and never read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, final

from archc.base.diagnostic import Diagnostic
from archc.checks.check import Check
from archc.checks.mention import definitions, unread
from archc.ir.graph import TypedGraph
from archc.syntax import tree


class UnusedValue(Diagnostic):
    """A `let` or a `share` gives a name a meaning, and nothing reads it: often another name was meant further down.

        let h = x |> layer(d -> d: 64)   return x |> layer(d -> d: 10)     # wrong: `h` leads nowhere
        let h = x |> layer(d -> d: 64)   return h |> layer(d -> d: 10)     # right

    A name that begins with `_` is meant not to be read.
    """

    code = "W0701"
    title = "`{name}` is never read"
    severity: ClassVar[Literal["error", "warning", "note"]] = "warning"


@final
class UnusedValueCheck(Check):
    """A value that nothing reads."""

    word = "unused_value"

    def find(self, graph: TypedGraph) -> Iterator[Diagnostic]:
        for definition in definitions(graph):
            for one in unread(definition.body):
                if not isinstance(one.statement, tree.Declaration):
                    help = f"use it, remove it, or call it `_{one.name}`"
                    yield UnusedValue(one.span, name=one.name, help=help)
