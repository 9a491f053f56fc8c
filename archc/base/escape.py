"""Text from strangers, made safe to show."""

from __future__ import annotations


def escape(text: str) -> str:
    """The text with every character that a terminal would obey or hide (escapes, line ends, bidi marks) spelled out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
