"""Diagnostics in the formats that programs read: JSON lines, SARIF 2.1.0, GitHub annotations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from inspect import cleandoc
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from archc.base.diagnostic import Diagnostic
from archc.base.escape import escape
from archc.base.span import Source, Span
from archc.base.version import VERSION

SCHEMA = 1
"""The version of the JSON record in `diagnostic.schema.json`: fields may be added to it, never removed."""


class CompilerFault(Diagnostic):
    """The compiler failed on this input, which is always a fault of the compiler and never of the spec.

    Run the command again as `archc --debug ...` to see where, and report it together with the spec.
    """

    code = "E0999"
    title = "internal error: {error}"
    severity: ClassVar[Literal["error", "warning", "note"]] = "error"


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """One JSON object per line, each as `diagnostic.schema.json` describes it."""
    return "".join(json.dumps(_record(diagnostic)) + "\n" for diagnostic in diagnostics)


def as_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """One SARIF 2.1.0 document with one run, whose rules are all the codes known."""
    catalogue = sorted(Diagnostic.catalogue.items())
    ranks = {code: rank for rank, (code, _) in enumerate(catalogue)}
    occurrences: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "archc",
                "version": VERSION,
                "semanticVersion": VERSION,
                "rules": [_rule(rule) for _, rule in catalogue],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": not any(isinstance(diagnostic, CompilerFault) for diagnostic in diagnostics)}
        ],
        "results": [_result(diagnostic, ranks[diagnostic.code], occurrences) for diagnostic in diagnostics],
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def as_github(diagnostics: Sequence[Diagnostic]) -> str:
    """One workflow command per line, which GitHub shows beside the source line."""
    return "".join(_annotation(diagnostic) + "\n" for diagnostic in diagnostics)


def _record(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "label": diagnostic.label or None,
        "file": diagnostic.span.source.path,
        "span": _extent(diagnostic.span),
        "related": [
            {"file": note.span.source.path, "span": _extent(note.span), "message": note.text}
            for note in diagnostic.notes
        ],
        "help": diagnostic.help or None,
        "fix": None,
    }


def _extent(span: Span) -> dict[str, dict[str, int]]:
    return {"start": _position(span.source, span.start), "end": _position(span.source, span.end)}


def _position(source: Source, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    return {"line": line, "column": column, "offset": offset}


def _rule(rule: type[Diagnostic]) -> dict[str, object]:
    explanation = cleandoc(rule.__doc__ or rule.title)
    return {
        "id": rule.code,
        "name": rule.__name__,
        "shortDescription": {"text": explanation.split("\n")[0]},
        "fullDescription": {"text": explanation},
        "help": {"text": f"archc explain {rule.code}"},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(diagnostic: Diagnostic, rank: int, occurrences: Counter[str]) -> dict[str, object]:
    words = [diagnostic.message, diagnostic.label, diagnostic.help and f"help: {diagnostic.help}"]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rank,
        "level": diagnostic.severity,
        "message": {"text": "\n".join(filter(None, words))},
        "locations": [_location(diagnostic.span)],
        "partialFingerprints": {"archc/v1": _fingerprint(diagnostic, occurrences)},
    }
    if diagnostic.notes:
        result["relatedLocations"] = [
            {"id": rank, **_location(note.span), "message": {"text": note.text}}
            for rank, note in enumerate(diagnostic.notes, start=1)
        ]
    return result


def _location(span: Span) -> dict[str, object]:
    (line, column), (end_line, end_column) = span.source.position(span.start), span.source.position(span.end)
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(span.source.path)}, "region": region}}


def _uri(path: str) -> str:
    """Relative to the working folder where it lies below it, so that a report means the same on another machine."""
    place = Path(path)
    if place.is_absolute() and place.is_relative_to(Path.cwd()):
        place = place.relative_to(Path.cwd())
    if place.is_absolute():
        return "file://" + quote(place.as_posix(), errors="replace")
    return quote(place.as_posix(), errors="replace")


def _fingerprint(diagnostic: Diagnostic, occurrences: Counter[str]) -> str:
    """The same for the same fault after lines were added above it; the second of two equal ones differs."""
    span = diagnostic.span
    text = span.source.line(span.line).strip() if span.source.text else ""
    fault = "\0".join([diagnostic.code, _uri(span.source.path), text])
    occurrences[fault] += 1
    return sha256(f"{fault}\0{occurrences[fault]}".encode(errors="replace")).hexdigest()[:32]


def _annotation(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    properties = {
        "file": span.source.path,
        "line": str(line),
        "endLine": str(end_line),
        "col": str(column),
        "endColumn": str(max(column, end_column - 1) if line == end_line else end_column),
        "title": diagnostic.code,
    }
    words = [diagnostic.message, diagnostic.label]
    words += [f"{note.span}: {note.text}" for note in diagnostic.notes]
    words += [f"help: {diagnostic.help}"] if diagnostic.help else []
    command = "notice" if diagnostic.severity == "note" else diagnostic.severity
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    said = "%0A".join(_message(word) for word in words if word)
    return f"::{command} {given}::{said}"


def _message(text: str) -> str:
    return "%0A".join(escape(line).replace("%", "%25") for line in text.split("\n"))


def _property(text: str) -> str:
    return escape(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
