"""What a generated module defines for itself to run its loops."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from archc.ops.operation import Routine


@cache
def scan() -> Routine:
    """`_scan(step, length, carries, entries, captured)`: a loop in Python, one node of a graph when exported."""
    return Routine("_scan", _text("scan"), (graphed(),))


@cache
def graphed() -> Routine:
    """`_graphed(loop)`: one of torch's loops while it is exported."""
    return Routine("_graphed", _text("graphed"))


@cache
def newton() -> Routine:
    """`_newton(step, states, captured, iterations)`: all steps of a loop at once, iteration by iteration."""
    return Routine("_newton", _text("newton"))


@cache
def fixpoint() -> Routine:
    """`_fixpoint(step, start, captured, ...)`: solved without a tape, with the implicit function's gradient."""
    solve = Routine("_solve", _text("solve"), (graphed(),))
    return Routine("_fixpoint", _text("fixpoint"), (solve, Routine("_Implicit", _text("implicit"))))


def _text(name: str) -> str:
    return files("archc.codegen").joinpath("templates", "routines", f"{name}.py.jinja").read_text(encoding="utf-8")
