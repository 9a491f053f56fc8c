"""A spec as canonical text."""

from __future__ import annotations

from pathlib import Path

from archc.base.diagnostic import Diagnostic, Fault, Findings
from archc.syntax.files import read_source
from archc.syntax.parse import parse
from archc.syntax.unparse import format_source


def formatted(path: Path) -> tuple[str, str | None, tuple[Diagnostic, ...]]:
    """The text of a spec, its canonical text (None where it does not parse) and what is wrong with it."""
    findings = Findings()
    try:
        source = read_source(path)
    except Fault as fault:
        return "", None, (fault.diagnostic,)
    spec = parse(source, findings)
    return source.text, None if spec is None else format_source(spec), tuple(findings)
