"""Hyper-parameters that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, final

from archc.base.diagnostic import Diagnostic
from archc.checks.check import Check
from archc.checks.mention import definitions, mentions
from archc.ir.graph import TypedGraph
from archc.syntax import tree


class UnusedHyper(Diagnostic):
    """A hyper-parameter is declared and nothing reads it, so that setting it changes nothing.

        net N(width = 64)(x: real[d: 8]) -> (y: real[d: 10]) { return x |> layer(d -> d: 10) }        # wrong
        net N(width = 10)(x: real[d: 8]) -> (y: real[d: width]) { return x |> layer(d -> d: width) }  # right

    A name that begins with `_` is meant not to be read.
    """

    code = "W0704"
    title = "the hyper-parameter `{name}` is never read"
    severity: ClassVar[Literal["error", "warning", "note"]] = "warning"


@final
class UnusedHyperCheck(Check):
    """A hyper-parameter that nothing reads."""

    word = "unused_hyper"

    def find(self, graph: TypedGraph) -> Iterator[Diagnostic]:
        for definition in definitions(graph):
            signature = (*definition.hypers, *definition.inputs, *definition.outputs, *definition.conditions)
            read = mentions(definition.body, *signature)
            for hyper in definition.hypers:
                if isinstance(hyper, tree.Hyper) and hyper.name not in read and not hyper.name.startswith("_"):
                    help = f"use it, remove it, or call it `_{hyper.name}`"
                    yield UnusedHyper(hyper.span.word(hyper.name), name=hyper.name, help=help)
