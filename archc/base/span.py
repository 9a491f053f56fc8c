"""A place in a source text."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the path it is shown under; lines end at LF only, columns count code points."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """The last part of the path, of whatever system."""
        return self.path.replace("\\", "/").rpartition("/")[2]

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of each line."""
        return (0, *(at + 1 for at, char in enumerate(self.text) if char == "\n"))

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line feed."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open range [start, end) of code points in a source."""

    source: Source = field(repr=False)
    start: int
    end: int

    @property
    def line(self) -> int:
        """1-based line of the start."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """1-based column of the start."""
        return self.source.position(self.start)[1]

    @property
    def place(self) -> str:
        """The line, and its file without the folders."""
        return f"{self.source.name}:{self.line}"

    def word(self, text: str) -> Span:
        """The first place of a word inside this span; this span where it has none."""
        found = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)").search(self.source.text, self.start, self.end)
        return self if found is None else Span(self.source, *found.span())

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of the other."""
        return Span(self.source, self.start, max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.source.path}:{self.line}:{self.column}"
