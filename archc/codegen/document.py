"""Text with places where a line may break, and its lines: the printer of `ruff format`, as far as expressions need it.

A group stays on one line if it fits, up to the first place behind it where a line breaks (Wadler, A prettier printer,
2003); what Python asks for beyond that are brackets which stand only where something breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Mark:
    """The identity of a group, by which others ask whether it is broken."""


@dataclass(frozen=True)
class Line:
    """A place where a line breaks if its group does; on one line it is a `space`, or nothing."""

    space: bool = False


@dataclass(frozen=True)
class Group:
    """What breaks together. Where `within` is given and that group is on one line, this is no group at all."""

    content: Document
    mark: Mark | None = None
    within: Mark | None = None
    broken: bool = False


@dataclass(frozen=True)
class Indent:
    """Deeper by one level, where `within` is given only if that group is broken."""

    content: Document
    within: Mark | None = None


@dataclass(frozen=True)
class Choice:
    """One of two, by whether a group is broken: that of the mark, or the one around."""

    broken: Document
    whole: Document
    mark: Mark | None = None


@dataclass(frozen=True)
class Loose:
    """What may break although the group of the mark is on one line, and is as long as it likes."""

    content: Document
    mark: Mark


@dataclass(frozen=True)
class Bracketed:
    """On one line or broken within its own brackets; in brackets of its own where only that makes it fit."""

    content: Document
    mark: Mark


@dataclass(frozen=True)
class Best:
    """The first of several that fits, else the last; only the first is on one line."""

    variants: tuple[Document, ...]


Document = str | tuple["Document", ...] | Line | Group | Indent | Choice | Loose | Bracketed | Best


class _Part(NamedTuple):
    """A document at an indentation. `reaches` is how far it must fit: up to the first break, in all its lines, or up to
    the end of the last of them."""

    document: Document
    indent: int
    is_broken: bool
    reaches: str = "first"


_STEP = 4


def whole(document: Document) -> str:
    """The text of a document on one line."""
    match document:
        case str():
            return document
        case tuple():
            return "".join(map(whole, document))
        case Line(space):
            return " " if space else ""
        case Choice(_, content):
            return whole(content)
        case Best(variants):
            return whole(variants[0])
        case Group(content) | Indent(content) | Loose(content) | Bracketed(content):
            return whole(content)


def lines(document: Document, indent: int, width: int) -> list[str]:
    """The lines of a document, each no longer than the width where that can be."""
    return _Printer(indent, width).printed(document)


@dataclass
class _Printer:
    indent: int
    width: int
    found: list[str] = field(default_factory=list)
    broken: dict[Mark, bool] = field(default_factory=dict)
    is_measured: bool = False

    def printed(self, document: Document) -> list[str]:
        """All lines."""
        self.found = [" " * self.indent]
        stack = [_Part(document, self.indent, True)]
        while stack:
            self._print(stack.pop(), stack)
        return self.found

    def _print(self, part: _Part, stack: list[_Part]) -> None:
        document, indent, is_broken, _ = part
        match document:
            case str():
                self.found[-1] += document
            case Line(space):
                if is_broken:
                    self.found.append(" " * indent)
                    self.is_measured = False
                elif space:
                    self.found[-1] += " "
            case Group(content, mark, within, forced):
                if within is None or self.broken[within]:
                    is_broken = forced or not self._is_whole(_Part(content, indent, False), is_broken, mark, stack)
                    if mark is not None:
                        self.broken[mark] = is_broken
                stack.append(_Part(content, indent, is_broken))
            case Loose(content, mark):
                if not self.broken[mark]:
                    self.is_measured = False
                stack.append(_Part(content, indent, is_broken))
            case Bracketed():
                self._bracket(document, part, stack)
            case Best():
                self._choose(document, part, stack)
            case _:
                stack += reversed(self._inside(part))

    def _is_whole(self, part: _Part, is_broken: bool, mark: Mark | None, stack: list[_Part]) -> bool:
        """Whether a group goes on one line."""
        if not is_broken and self.is_measured:
            return True
        self.is_measured = True
        if mark is not None:
            self.broken[mark] = False
        return self._fits(part, stack)

    def _bracket(self, document: Bracketed, part: _Part, stack: list[_Part]) -> None:
        indent, inner = part.indent, part.indent + _STEP
        is_whole = self._is_whole(_Part(document.content, indent, False), part.is_broken, document.mark, stack)
        opened = (
            _Part("(", indent, True),
            _Part(Line(), inner, True, "all"),
            _Part(document.content, inner, True, "all"),
        )
        closed = (_Part(Line(), indent, True, "all"), _Part(")", indent, True))
        if not is_whole:
            self.broken[document.mark] = True
            is_whole = not self._fits_all((*opened, *closed), stack)
        self.broken[document.mark] = not is_whole
        if is_whole:
            stack.append(_Part(document.content, indent, False))
        else:
            content = _Part(document.content, inner, True)
            stack += reversed((*opened[:2], content, *closed))

    def _choose(self, document: Best, part: _Part, stack: list[_Part]) -> None:
        if not part.is_broken and self.is_measured:
            stack.append(_Part(document.variants[0], part.indent, False))
            return
        self.is_measured = True
        for place, variant in enumerate(document.variants):
            tried = _Part(variant, part.indent, place > 0)
            if variant is document.variants[-1] or self._fits(tried, stack):
                stack.append(tried)
                return

    def _inside(self, part: _Part) -> list[_Part]:
        """The parts of what has no say in where lines break."""
        document, indent, is_broken, reaches = part
        match document:
            case tuple():
                return [_Part(one, indent, is_broken, reaches) for one in document]
            case Indent(content, within):
                deeper = indent + _STEP if within is None or self.broken[within] else indent
                return [_Part(content, deeper, is_broken, reaches)]
            case Choice(broken, content, mark):
                chosen = broken if (is_broken if mark is None else self.broken[mark]) else content
                return [_Part(chosen, indent, is_broken, reaches)]
        raise TypeError(type(document).__name__)

    def _fits(self, part: _Part, rest: list[_Part]) -> bool:
        return self._fits_all((part,), rest)

    def _fits_all(self, parts: tuple[_Part, ...], rest: list[_Part]) -> bool:
        """Whether parts fit on the line at hand, and what follows them up to where a line may break."""
        column, stack, left = len(self.found[-1]), list(reversed(parts)), len(rest)
        while stack or left:
            if not stack:
                left -= 1
                stack.append(rest[left])
            part = stack.pop()
            match part.document:
                case str(text):
                    column += len(text)
                    if column > self.width and part.reaches != "end":
                        return False
                case Line() if part.is_broken and part.reaches == "first":
                    return True
                case Line(space):
                    column = part.indent if part.is_broken else column + space
                case _:
                    stack += reversed(self._measured(part))
        return True

    def _measured(self, part: _Part) -> list[_Part]:
        """What is inside a part that is only measured: a group breaks where the one around does."""
        document, indent, is_broken, reaches = part
        match document:
            case Group(content, mark, within, forced):
                is_broken = is_broken or (forced and (within is None or self.broken[within]))
                if mark is not None:
                    self.broken[mark] = is_broken
            case Loose(content, mark):
                if not is_broken and not self.broken[mark]:
                    is_broken, reaches = True, "end"
            case Bracketed(content, mark):
                self.broken[mark] = is_broken
            case Best(variants):
                content = variants[-1 if is_broken else 0]
            case _:
                return self._inside(part)
        return [_Part(content, indent, is_broken, reaches)]
