"""The library and the users' reference as texts: what `archc list` and `archc explain` take from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from archc.base.assets import grammar_root, specs_root
from archc.base.diagnostic import Findings
from archc.base.span import Source
from archc.syntax.parse import parse

_REFERENCE = "LANGUAGE.md"
_RESERVED = re.compile(r"^ {4}[a-z]+(?: [a-z]+){5,}$", re.MULTILINE)
_HEADING = re.compile(r"^##+ ", re.MULTILINE)
_FENCE = re.compile(r"^```.*\n", re.MULTILINE)
_HERE_AND_THERE = ("layer", "state", "share", "shared", "using", "equivariant", "invariant")
"""Words that are reserved only where they act."""

_Block = tuple[str, list[str], int, int]
"""A block's name, the lines of its file, the first line of its comment, the line after it."""


def spec_names() -> Iterator[tuple[str, str]]:
    """Each spec that comes with the compiler and the first line of its comment."""
    for path in _specs():
        yield _relative(path), heading(path.read_text(encoding="utf-8").split("\n"), 0)


def spec_text(name: str) -> str | None:
    """A spec that comes with the compiler, by its path or its name alone."""
    found = (path for path in _specs() if name in (path.stem, _relative(path), f"specs/{_relative(path)}"))
    return next((path.read_text(encoding="utf-8").rstrip() for path in found), None)


def block_names() -> Iterator[tuple[str, str]]:
    """Each block of the library and the first line of its comment."""
    for name, lines, start, _ in _blocks():
        yield name, heading(lines, start)


def block_text(name: str) -> str | None:
    """A block as it is written, with the comment above it and a line that uses it."""
    for full, lines, start, end in _blocks():
        short = full.rsplit(".", 1)[1]
        if name in (full, short):
            used = _use(short)
            return "\n".join(lines[start:end]) + (f"\n\nexample:\n    {used}" if used else "")
    return None


def words() -> tuple[str, ...]:
    """The words of the language that the reference explains."""
    reserved = _RESERVED.findall((grammar_root() / _REFERENCE).read_text(encoding="utf-8"))
    return (*_HERE_AND_THERE, *" ".join(reserved).split())


def word_text(word: str) -> str | None:
    """The section of the users' reference that is named for a word of the language, or speaks most of it."""
    if word not in words():
        return None
    text = (grammar_root() / _REFERENCE).read_text(encoding="utf-8")
    starts = [match.start() for match in _HEADING.finditer(text)]
    sections = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    told = [section for section in sections[1:] if not _RESERVED.search(section)]  # the first is a look at everything
    named = re.compile(rf"\*\*`{word}`|^## .*\b{word}|^ *{word} \w|[`(|] ?{word}\b", re.MULTILINE | re.IGNORECASE)
    titled = re.compile(rf"##+ .*\b{word}", re.IGNORECASE)
    found = max(told, key=lambda section: (titled.match(section) is not None, len(named.findall(section))))
    return _FENCE.sub("", found).rstrip() if named.search(found) else None


def heading(lines: list[str], start: int) -> str:
    """The first paragraph of the comment that begins there, as one line."""
    found: list[str] = []
    for line in lines[start:]:
        words = line.removeprefix("#").strip()
        if not line.startswith("#") or not words:
            break
        found.append(words)
    return " ".join(found)


def _specs() -> Iterator[Path]:
    for path in sorted(specs_root().rglob("*.arch")):
        if path.parent.name != "std":
            yield path


def _relative(path: Path) -> str:
    return path.relative_to(specs_root()).as_posix()


def _use(word: str) -> str:
    """The first line of a spec that uses a block of the library."""
    pattern = re.compile(rf"^(?!#|use |block |net ).*\b{word}\b.*$", re.MULTILINE)
    for path in [*_specs(), *sorted((specs_root() / "std").glob("*.arch"))]:
        if found := pattern.search(path.read_text(encoding="utf-8")):
            return found.group().split("#")[0].strip()
    return ""


@cache
def _blocks() -> tuple[_Block, ...]:
    """The blocks of the library."""
    return tuple(_found_blocks())


def _found_blocks() -> Iterator[_Block]:
    for path in sorted((specs_root() / "std").glob("*.arch")):
        source = Source(f"std/{path.name}", path.read_text(encoding="utf-8"))
        spec = parse(source, Findings())
        lines = source.text.split("\n")
        for definition in spec.definitions if spec else ():
            start = definition.span.line - 1
            while start > 0 and lines[start - 1].startswith("#"):
                start -= 1
            yield f"std.{path.stem}.{definition.name}", lines, start, source.position(definition.span.end)[0]
