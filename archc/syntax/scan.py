"""The first look at a text: comments, brackets, characters and where each definition begins.

What is found here needs no grammar, and is better said before the grammar is asked: an unclosed brace is shown at the
brace. Each definition is then parsed on its own, so that one with a fault does not hide the next.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from archc.base.diagnostic import Diagnostic, Findings, Note
from archc.base.limits import Limits
from archc.base.span import Source, Span
from archc.syntax.faults import (
    BadNumber,
    ControlCharacter,
    IllegalCharacter,
    IllegalName,
    TooDeep,
    TooManyTokens,
    Unclosed,
    UnexpectedToken,
)
from archc.syntax.tree import Comment

_TOKEN = re.compile(
    r"""
      (?P<space>(?:[ \t\n]|\r\n)+)
    | (?P<comment>\#[^\n]*)
    | (?P<string>"[^"\n]*"?)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[^\W\d]\w*)
    | (?P<opener>[(\[{])
    | (?P<closer>[)\]}])
    | (?P<sign>->|\|>|>>|//|[=!<>]=|[-+*/%^<>=:,~.])
    | (?P<other>[^\w\s\#"()\[\]{}+*/%^<>=:,~.-]+|.|\s)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSER = {"(": ")", "[": "]", "{": "}"}
_ITEM = re.compile(r"[ \t]+[A-Za-z_\"]")
# C0 and C1 controls but tab and line feed (a carriage return only before a line feed), line and paragraph separators,
# and the marks that reorder text.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\r(?!\n)"
)
_LONGEST_NUMBER = 64
_INSTEAD = {
    "&": "write `and`",
    "|": "write `or`, or `|>` for a pipe",
    "!": "write `not`",
    ";": "statements need no separator",
    "'": 'strings are written in double quotes: "..."',
    "@": "a matrix product is written `sum k: a * b`",
    "\\": "a statement may continue on the next line as it is",
}


@dataclass
class Chunk:
    """The text of one `use` or definition; `faulty` once something was found in it, so that it is not parsed."""

    start: int
    end: int
    faulty: bool = False


class Bracket(NamedTuple):
    """An opened bracket."""

    text: str
    start: int


@dataclass
class Scan:
    """A text cut at its definitions."""

    source: Source
    findings: Findings
    limits: Limits
    chunks: list[Chunk] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    is_faulty: bool = False
    is_broken: bool = False
    """The text is cut nowhere, or does not show what it says: nothing of it can be used."""
    _open: list[Bracket] = field(default_factory=list)
    _closed: list[tuple[Bracket, int]] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)

    def run(self) -> Scan:
        """Go over the whole text once."""
        self._controls()
        tokens = 0
        for match in _TOKEN.finditer(self.source.text):
            sort, text, start = match.lastgroup, match[0], match.start()
            if sort == "space":
                continue
            if sort == "comment":
                body = text[1:].rstrip("\r")
                self.comments.append(Comment(text=body, span=self._span(start, start + 1 + len(body))))
                continue
            tokens += 1
            if tokens > self.limits.tokens:
                self.findings.add(TooManyTokens(self._span(start, match.end()), limit=self.limits.tokens))
                self.is_faulty = self.is_broken = True
                self.chunks.clear()
                return self
            self._token(sort or "", text, start)
        self._end_chunk(len(self.source.text))
        return self

    def _token(self, sort: str, text: str, start: int) -> None:
        if self._begins_chunk(sort, text, start):
            self._end_chunk(start)
            self.chunks.append(Chunk(start, len(self.source.text)))
        if sort == "name":
            self._name(text, start)
        elif sort == "opener":
            self._opener(Bracket(text, start))
        elif sort == "closer":
            self._closer(text, start)
        elif sort == "number":
            self._number(text, start)
        elif sort == "string" and (len(text) == 1 or not text.endswith('"')):
            end = start + len(text)
            note = Note(self._span(end, end), "the line ends here")
            help = 'a string ends with `"` on the line it begins on'
            self._report(Unclosed(self._span(start, start + 1), opener="string", notes=[note], help=help))
        elif sort == "other":
            self._other(text, start)

    def _begins_chunk(self, sort: str, text: str, start: int) -> bool:
        if not self.chunks:
            return True
        if sort != "name" or text not in ("net", "block", "use"):
            return False
        at_margin = start == 0 or self.source.text[start - 1] == "\n"
        return not self._open or (at_margin and _ITEM.match(self.source.text, start + len(text)) is not None)

    def _end_chunk(self, end: int) -> None:
        if self.chunks:
            self.chunks[-1].end = end
        if self._open:
            self._unclosed(end)
        self._open.clear()
        self._closed.clear()

    def _name(self, text: str, start: int) -> None:
        """Refuse a name that is none, at its first place."""
        if text in self._refused:
            self.chunks[-1].faulty = True
            return
        faults = len(self.findings)
        self._refuse(text, start)
        if len(self.findings) > faults:
            self._refused.add(text)

    def _refuse(self, text: str, start: int) -> None:
        if not text.isascii():
            at = next(at for at, char in enumerate(text) if not char.isascii())
            problem = f"`{text[at]}` ({_describe(text[at])}) is not a letter of a name"
            span = self._span(start + at, start + at + 1)
            self._report(IllegalName(span, problem=problem, help="names are written in A-Z, a-z, 0-9 and _"))
        elif text.startswith("__"):
            problem = "a name does not start with two underscores"
            help = f"write `{text.lstrip('_') or 'a letter first'}`"
            self._report(IllegalName(self._span(start, start + len(text)), problem=problem, help=help))
        elif len(text) > self.limits.name_length:
            problem = f"a name of {len(text)} characters; {self.limits.name_length} are allowed"
            self._report(IllegalName(self._span(start, start + len(text)), problem=problem))

    def _number(self, text: str, start: int) -> None:
        problem = ""
        if len(text) > _LONGEST_NUMBER:
            problem = f"a number of {len(text)} characters; {_LONGEST_NUMBER} are allowed"
        elif text.isdigit():
            if int(text) > self.limits.integer:
                problem = f"the integer {text} is larger than {self.limits.integer}"
        elif math.isinf(float(text)):
            problem = f"{text} is larger than any real"
        elif float(text) == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
            problem = f"{text} is smaller than any real but zero"
        if problem:
            self._report(BadNumber(self._span(start, start + len(text)), problem=problem))

    def _opener(self, bracket: Bracket) -> None:
        self._open.append(bracket)
        if len(self._open) == self.limits.depth + 1:
            span = self._span(bracket.start, bracket.start + 1)
            self._report(TooDeep(span, limit=self.limits.depth, help="name an inner part with `let`"))

    def _closer(self, text: str, start: int) -> None:
        span = self._span(start, start + 1)
        if not self._open:
            self._report(UnexpectedToken(span, found=f"`{text}`", label="nothing is open here"))
        elif _CLOSER[self._open[-1].text] == text:
            self._closed.append((self._open.pop(), start))
        elif any(_CLOSER[bracket.text] == text for bracket in self._open):
            opener = self._open[-1]
            note = Note(span, f"`{text}` comes before `{_CLOSER[opener.text]}`")
            place, help = self._span(opener.start, opener.start + 1), f"write `{_CLOSER[opener.text]}` before that"
            self._report(Unclosed(place, opener=f"`{opener.text}`", notes=[note], help=help))
            while _CLOSER[self._open.pop().text] != text:
                pass
        else:
            opener = self._open.pop()
            note = Note(self._span(opener.start, opener.start + 1), f"`{opener.text}` is opened here")
            wanted = f"expected `{_CLOSER[opener.text]}`"
            self._report(UnexpectedToken(span, found=f"`{text}`", label=wanted, notes=[note]))

    def _unclosed(self, end: int) -> None:
        """Report the bracket that was most likely forgotten: one whose closer stands further left than its own line."""
        opener, noticed = self._open[-1], end
        words = "the file ends here" if end == len(self.source.text) else "the next definition starts here"
        for bracket, closer in self._closed:
            if self._first_on_line(closer) and self._indent(closer) < self._indent(bracket.start):
                opener, noticed, words = bracket, closer, "this one was taken for its end, and stands further left"
                break
        note = Note(self._span(noticed, noticed + (noticed < end)), words)
        span = self._span(opener.start, opener.start + 1)
        help = f"write `{_CLOSER[opener.text]}` before that"
        self._report(Unclosed(span, opener=f"`{opener.text}`", notes=[note], help=help))

    def _indent(self, offset: int) -> int:
        start = self.source.text.rfind("\n", 0, offset) + 1
        line = self.source.text[start : offset + 1]
        return len(line) - len(line.lstrip(" \t"))

    def _first_on_line(self, offset: int) -> bool:
        start = self.source.text.rfind("\n", 0, offset) + 1
        return not self.source.text[start:offset].strip(" \t")

    def _other(self, text: str, start: int) -> None:
        if _CONTROL.match(text):
            self.chunks[-1].faulty = True
            return
        span = self._span(start, start + 1)
        found = f"`{text[0]}`" if text[0].isascii() else f"`{text[0]}` ({_describe(text[0])})"
        self._report(IllegalCharacter(span, found=found, help=_INSTEAD.get(text[0], "")))

    def _controls(self) -> None:
        for match in _CONTROL.finditer(self.source.text):
            name = _describe(match[0])
            self.findings.add(ControlCharacter(self._span(match.start(), match.end()), name=name, help="delete it"))
            self.is_faulty = self.is_broken = True

    def _report(self, diagnostic: Diagnostic) -> None:
        """Add a finding; of faults in the brackets of one definition only the first, for the others follow from it."""
        chunk = self.chunks[-1]
        structural = isinstance(diagnostic, Unclosed | UnexpectedToken)
        if not (chunk.faulty and structural):
            self.findings.add(diagnostic)
        chunk.faulty = self.is_faulty = True

    def _span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)


def _describe(char: str) -> str:
    """`U+202E RIGHT-TO-LEFT OVERRIDE`."""
    controls = {"\r": "a carriage return", "\x00": "a NUL character", "\x1b": "an escape character"}
    name = controls.get(char) or unicodedata.name(char, "")
    return f"U+{ord(char):04X} {name}".strip()
