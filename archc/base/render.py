"""Diagnostics as text for people, and as JSON lines, SARIF or GitHub annotations for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal
from unicodedata import combining, east_asian_width

from archc.base.diagnostic import Diagnostic
from archc.base.escape import escape
from archc.base.interchange import as_github, as_json, as_sarif
from archc.base.limits import LIMITS
from archc.base.span import Source, Span

Format = Literal["text", "json", "sarif", "github"]

SHOWN = LIMITS.diagnostics
"""How many diagnostics one report shows, in every format."""

_COLUMNS = 160
_BEFORE = 60

Fragment = tuple[str, str]
"""A piece of a line and the style it is painted in, empty for plain."""

_COLORS = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_FRAME = "blue"


class TooMany(Diagnostic):
    """The report stops after its first hundred findings, in every format alike.

    Mend the first ones and run again: those that follow are often their consequences.
    """

    code = "E0910"
    title = "{count} more"
    severity: ClassVar[Literal["error", "warning", "note"]] = "note"


def render(diagnostics: Iterable[Diagnostic], format: Format, *, color: bool = False) -> str:
    """The report of some diagnostics, ordered by file, offset and code; ends with a line feed unless it is empty.

    The document of the formats for programs is valid also when there is nothing to report. Colour concerns text only.
    """
    found = sorted(diagnostics, key=lambda diagnostic: diagnostic.key)
    shown = found[:SHOWN]
    if omitted := found[SHOWN:]:
        shown.append(TooMany(omitted[0].span, count=len(omitted)))
    match format:
        case "json":
            return as_json(shown)
        case "sarif":
            return as_sarif(shown)
        case "github":
            return as_github(shown)
        case "text":
            return _as_text(shown, found, color=color)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many findings of each severity in how many files, such as `2 errors, 1 warning in 3 files`."""
    found = list(diagnostics)
    counts = Counter(diagnostic.severity for diagnostic in found)
    parts = [_count(number, severity) for severity in _COLORS for name, number in counts.items() if name == severity]
    files = len({diagnostic.span.source.path for diagnostic in found})
    return f"{', '.join(parts) or 'no errors'} in {_count(files, 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _as_text(shown: Sequence[Diagnostic], found: Sequence[Diagnostic], *, color: bool) -> str:
    if not found:
        return ""
    blocks = ["\n".join(_paint(line, color) for line in _lines(diagnostic)) for diagnostic in shown]
    return "\n\n".join([*blocks, summary(found)]) + "\n"


def _paint(line: Sequence[Fragment], color: bool) -> str:
    if not color:
        return "".join(text for text, _ in line).rstrip()
    from rich.color import ColorSystem
    from rich.style import Style

    return "".join(
        Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if style else text for text, style in line
    ).rstrip()


def _lines(diagnostic: Diagnostic) -> list[list[Fragment]]:
    """Headline, source lines with their marks, help."""
    style = _COLORS[diagnostic.severity]
    marks = [(diagnostic.span, diagnostic.label, "^", style)]
    marks += [(note.span, note.text, "-", _FRAME) for note in diagnostic.notes]
    gutter = len(str(max(span.line for span, *_ in marks)))
    lines: list[list[Fragment]] = [
        [
            (f"{diagnostic.severity}[{diagnostic.code}]", style),
            (f": {escape(diagnostic.message)}", "bold"),
            (f"     {escape(str(diagnostic.span))}", _FRAME),
        ]
    ]
    before: Span | None = None
    path = diagnostic.span.source.path
    for span, label, mark, paint in marks:
        if span.source.path != path:
            lines.append([(f"{' ' * gutter}--> {escape(str(span))}", _FRAME)])
            path = span.source.path
        lines += _snippet(span, before, gutter, (mark, paint, label))
        before = span
    return lines + _help(diagnostic.help)


def _snippet(span: Span, before: Span | None, gutter: int, mark: tuple[str, str, str]) -> list[list[Fragment]]:
    """The source line of a span over its marks; the line is not repeated right below itself."""
    sign, style, label = mark
    if not span.source.text:
        return [[("note: ", style), (escape(label), "")]] if label and before is not None else []
    line, column = span.source.position(span.start)
    text, indent, width = _window(span.source, line, column - 1, span.end - span.start)
    shown: list[Fragment] = [(f"{line:>{gutter}} | ", _FRAME), (text, "")]
    words = f" {escape(label)}" if label else ""
    under: list[Fragment] = [(f"{' ' * gutter} | ", _FRAME), (" " * indent, ""), (sign * width + words, style)]
    repeated = before is not None and before.source is span.source and before.line == line and len(text) < _COLUMNS
    return [under] if repeated else [shown, under]


def _window(source: Source, number: int, start: int, length: int) -> tuple[str, int, int]:
    """A source line as it is shown, the width of what stands before the marked part, and the width of that part.

    A line too long to read is cut around the mark; a span that runs on is marked to the end of its first line.
    """
    line = source.line(number).removesuffix("\r")
    end = max(start, min(start + length, len(line.rstrip())))
    head = max(0, start - _BEFORE) if len(line) > _COLUMNS else 0
    tail = min(len(line), head + _COLUMNS)
    left, right = "..." if head else "", "..." if tail < len(line) else ""
    before, marked = _plain(line[head:start]), _plain(line[start : min(end, tail)])
    after = _plain(line[min(end, tail) : tail])
    return f"{left}{before}{marked}{after}{right}", len(left) + _cells(before), max(1, _cells(marked))


def _plain(text: str) -> str:
    """A tab counts, and shows, as one column."""
    return escape(text.replace("\t", " "))


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _help(text: str) -> list[list[Fragment]]:
    if not text:
        return []
    first, *rest = text.split("\n")
    return [[("help", "bold green"), (f": {escape(first)}", "")], *([(f"      {escape(line)}", "")] for line in rest)]
