"""Scans that are evaluated step by step although a solver is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, final

from archc.base.diagnostic import Diagnostic
from archc.checks.check import Check
from archc.derive.coupling import UnsuitableError, joining
from archc.ir.graph import TypedGraph, nested
from archc.ir.node import Region, Scan


class SequentialScan(Diagnostic):
    """A parallel solver was asked for, but joining two steps would cost more than taking them, or is not known to be
    possible: the scan runs step by step, with the same numbers.

    Newton's method joins steps whose Jacobian is diagonal or has small blocks. `layer(h, d -> d)` on the carry mixes
    all of d:

        let h = tanh(layer(h, d -> d) + x)      # wrong: step by step
        let h = tanh(u * h + x)                 # right: at all positions at once, u a value over d
    """

    code = "W0705"
    title = "`{solver}` is not used here: a pass {reason}"
    severity: ClassVar[Literal["error", "warning", "note"]] = "note"


@final
class SequentialScanCheck(Check):
    """A scan that runs step by step although a solver is asked for."""

    word = "sequential_scan"

    def find(self, graph: TypedGraph) -> Iterator[Diagnostic]:
        for block in graph.blocks.values():
            for scan in _scans(block.region):
                try:
                    joining(scan, graph.blocks)
                except UnsuitableError as error:
                    assert scan.solver is not None
                    yield SequentialScan(scan.span.word("scan"), solver=scan.solver.word, reason=str(error))


def _scans(region: Region) -> Iterator[Scan]:
    for node in region.nodes:
        if isinstance(node, Scan) and node.solver is not None:
            yield node
        for inner in nested(node):
            yield from _scans(inner)
