"""What the compiler knows: operations, library, specs, checks and diagnostics, for `archc list` and `archc explain`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Literal

from archc.base.assets import specs_root
from archc.base.diagnostic import Diagnostic, Findings
from archc.base.nearest import nearest
from archc.base.span import Source

Kind = Literal["ops", "std", "activations", "checks", "specs"]
Entry = tuple[str, str]
"""A name and one line about it."""

_STATING_DIAGNOSTICS = ("archc.driver", "archc.codegen.write")
"""Between them these import every module of the compiler."""


def entries(kind: Kind) -> list[Entry]:
    """Everything of a kind, in alphabetical order."""
    found = {"ops": _operations, "std": _library, "activations": _activations, "checks": _checks, "specs": _specs}
    return sorted(found[kind]())


def explanation(name: str) -> str | None:
    """What a diagnostic's code, an operation's word or a block of the library means; None for an unknown name."""
    if (rule := _diagnostics().get(name.upper())) is not None:
        return f"{rule.severity} {rule.code}: {_title(rule)}\n\n{_doc(rule)}"
    for entry in _named():
        if entry.__dict__["word"] == name:
            return f"{name}: {_doc(entry)}" + _formula(entry)
    return _library_text(name)


def nearest_name(name: str) -> str | None:
    """The name that `name` is probably a misspelling of."""
    known = [word for word, _ in (*_operations(), *_library())]
    return nearest(name.upper(), _diagnostics()) if re.fullmatch(r"[eEwW]\d+", name) else nearest(name, known)


def _diagnostics() -> dict[str, type[Diagnostic]]:
    """All of them: a diagnostic is known once its module is imported."""
    for module in _STATING_DIAGNOSTICS:
        import_module(module)
    list(_checks())  # each check states its own diagnostics
    return Diagnostic.catalogue


def _named() -> Iterator[type]:
    from archc.ops.registries import INITIALISERS, OPERATIONS, POINTWISE, REDUCTIONS

    yield from OPERATIONS
    yield from POINTWISE
    yield from REDUCTIONS
    yield from INITIALISERS


def _operations() -> Iterator[Entry]:
    return ((entry.__dict__["word"], _first_line(_doc(entry))) for entry in _named())


def _activations() -> Iterator[Entry]:
    from archc.ops.registries import POINTWISE

    yield from ((entry.word, _first_line(_doc(entry))) for entry in POINTWISE if entry.arity == 1)
    yield from ((name, line) for name, line in _library() if name.startswith("std.activations."))


def _checks() -> Iterator[Entry]:
    from archc.checks.registry import CHECKS

    return ((check.word, _first_line(_doc(check))) for check in CHECKS)


def _specs() -> Iterator[Entry]:
    root = specs_root()
    for path in root.rglob("*.arch"):
        name = path.relative_to(root)
        if name.parts[0] != "std":
            yield name.as_posix(), _heading(path.read_text(encoding="utf-8").split("\n"), 0)


def _library() -> Iterator[Entry]:
    for name, lines, start, _ in _blocks():
        yield name, _heading(lines, start)


def _library_text(name: str) -> str | None:
    """A block as it is written, with the comment above it."""
    for full, lines, start, end in _blocks():
        if name in (full, full.rsplit(".", 1)[1]):
            return "\n".join(lines[start:end])
    return None


def _blocks() -> Iterator[tuple[str, list[str], int, int]]:
    """Each block of the library: its name, the lines of its file, the first line of its comment, the line after it."""
    for path in (specs_root() / "std").glob("*.arch"):
        yield from _blocks_of(path)


def _blocks_of(path: Path) -> Iterator[tuple[str, list[str], int, int]]:
    from archc.syntax.parse import parse

    source = Source(f"std/{path.name}", path.read_text(encoding="utf-8"))
    spec = parse(source, Findings())
    lines = source.text.split("\n")
    for definition in spec.definitions if spec else ():
        start = definition.span.line - 1
        while start > 0 and lines[start - 1].startswith("#"):
            start -= 1
        yield f"std.{path.stem}.{definition.name}", lines, start, source.position(definition.span.end)[0]


def _heading(lines: list[str], start: int) -> str:
    """The first line of the comment that begins there."""
    first = lines[start] if start < len(lines) else ""
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def _title(rule: type[Diagnostic]) -> str:
    return re.sub(r"\{\w*\}", "...", rule.title)


def _doc(entry: type) -> str:
    return cleandoc(entry.__doc__ or "")


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _formula(entry: type) -> str:
    formula: str = getattr(entry, "formula", "")
    return f"\n\n{cleandoc(formula)}" if formula else ""
