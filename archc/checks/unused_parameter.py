"""Parameters and constants that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, final

from archc.base.diagnostic import Diagnostic
from archc.checks.check import Check
from archc.checks.mention import definitions, unread
from archc.ir.graph import TypedGraph
from archc.syntax import tree


class UnusedParameter(Diagnostic):
    """A parameter or constant is declared and nothing reads it: it would be stored, but never learn.

        param W: real[k: 8, d]   param b: real[k: 8]   return sum d: W * x           # wrong: `b` does nothing
        param W: real[k: 8, d]   param b: real[k: 8]   return (sum d: W * x) + b     # right

    A name that begins with `_` is meant not to be read.
    """

    code = "W0702"
    title = "the {role} `{name}` is never read"
    severity: ClassVar[Literal["error", "warning", "note"]] = "warning"


@final
class UnusedParameterCheck(Check):
    """A parameter, constant or state that nothing reads."""

    word = "unused_parameter"

    def find(self, graph: TypedGraph) -> Iterator[Diagnostic]:
        for definition in definitions(graph):
            for one in unread(definition.body):
                if isinstance(one.statement, tree.Declaration):
                    help = f"use it, remove it, or call it `_{one.name}`"
                    yield UnusedParameter(one.span, role=_ROLES[one.statement.role], name=one.name, help=help)


_ROLES = {"param": "parameter", "const": "constant", "state": "state"}
