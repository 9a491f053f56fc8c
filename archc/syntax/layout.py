"""Fitting a text into a width: a document says where lines may break, the layout decides where they do.

After Wadler ("A prettier printer", 2003): a group stays on its line if it fits up to the next place where a line may
break, and otherwise breaks at every `Line` directly in it.
"""

from __future__ import annotations

from dataclasses import dataclass

_INDENT = 4


@dataclass(frozen=True)
class Line:
    """A place to break: `flat` where the group stays on its line; a hard one always breaks."""

    flat: str = " "
    hard: bool = False


@dataclass(frozen=True)
class Group:
    """What is broken together or not at all."""

    inside: Doc
    broken: bool = False


@dataclass(frozen=True)
class Nest:
    """Lines inside start further right by an amount."""

    amount: int
    inside: Doc


@dataclass(frozen=True)
class Align:
    """Lines inside start under its first character, unless that stands too far right."""

    inside: Doc


@dataclass(frozen=True)
class Hang:
    """Stands on the next line, further in, where that saves it from being broken or from standing far right."""

    inside: Doc


@dataclass(frozen=True)
class Suffix:
    """A comment that waits for the end of its line and takes no room."""

    text: str


Doc = str | Line | Group | Nest | Align | Hang | Suffix | tuple["Doc", ...]
Frame = tuple[int, bool, Doc]

LINE = Line()
HARD = Line(hard=True)


def layout(doc: Doc, width: int) -> str:
    """The text of a document, with no line longer than `width` where breaking can help."""
    out: list[str] = []
    suffixes: list[str] = []
    stack: list[Frame] = [(0, True, doc)]
    column = 0
    while stack:
        indent, broken, doc = stack.pop()
        match doc:
            case str():
                out.append(doc)
                column += len(doc)
            case tuple():
                stack.extend((indent, broken, part) for part in reversed(doc))
            case Nest():
                stack.append((indent + doc.amount, broken, doc.inside))
            case Align():
                far = column > width * 2 // 3
                stack.append((indent + _INDENT if far else column, broken, doc.inside))
            case Group():
                fits = not doc.broken and _fits(doc.inside, stack, width - column)
                stack.append((indent, not fits, doc.inside))
            case Hang():
                fits = _fits(doc.inside, stack, width - column)
                hangs = not fits and (column > width // 2 or _fits(doc.inside, stack, width - indent - _INDENT))
                inside = (HARD, doc.inside) if hangs else (" ", doc.inside)
                stack.append((indent + _INDENT if hangs else indent, broken, inside))
            case Suffix():
                suffixes.append(doc.text)
            case Line() if broken or doc.hard:
                _end_line(out, suffixes)
                out.append("\n" + " " * indent)
                column = indent
            case Line():
                out.append(doc.flat)
                column += len(doc.flat)
    _end_line(out, suffixes)
    return "".join(out)


def _end_line(out: list[str], suffixes: list[str]) -> None:
    while out and not out[-1].strip(" \n"):
        blank = out.pop().rstrip(" ")
        if blank:
            out.append(blank)
            break
    else:
        if out:
            out[-1] = out[-1].rstrip(" ")
    out.extend(f"  {text}" for text in suffixes)
    suffixes.clear()


def _fits(doc: Doc, rest: list[Frame], room: int) -> bool:
    """Whether `doc` on one line, and what follows it up to the next possible break, fits."""
    pending: list[tuple[bool, Doc]] = [(False, doc)]
    below = len(rest)
    while room >= 0:
        if not pending:
            if not below:
                return True
            below -= 1
            pending.append(rest[below][1:])
        broken, doc = pending.pop()
        match doc:
            case str():
                room -= len(doc)
            case tuple():
                pending.extend((broken, part) for part in reversed(doc))
            case Group():
                pending.append((broken or doc.broken, doc.inside))
            case Hang():
                pending.append((broken, (" ", doc.inside)))
            case Nest() | Align():
                pending.append((broken, doc.inside))
            case Line() if broken or doc.hard:
                return True
            case Line():
                room -= len(doc.flat)
    return False
