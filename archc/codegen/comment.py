"""Comments of generated code: axes, and user's text made harmless."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archc.base.span import Span
from archc.codegen.layout import WIDTH


def axes_comment(axes: Sequence[str]) -> str:
    """The axes of a tensor."""
    return f"[{', '.join(axis.lstrip('@~') for axis in axes)}]"


def place(span: Span) -> str:
    """The line of the spec, without the folders of its path."""
    return escaped(span.place)


def escaped(text: str) -> str:
    """User's text for a comment: printable ASCII, one line."""
    return "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text)


def remark(text: str, indent: int) -> Iterator[str]:
    """A comment on lines of its own."""
    margin = " " * indent + "# "
    line = ""
    for word in text.split(" "):
        if line and len(margin) + len(line) + 1 + len(word) > WIDTH:
            yield margin + line.rstrip()
            line = ""
        line = f"{line} {word}" if line else word
    yield margin + line
