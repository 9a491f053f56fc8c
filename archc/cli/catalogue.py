"""What the compiler knows: operations, library, specs, checks and diagnostics, for `archc list` and `archc explain`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from pathlib import PurePosixPath
from typing import Literal

from archc.base.diagnostic import Diagnostic
from archc.base.nearest import nearest
from archc.checks.registry import CHECKS
from archc.cli.reference import block_names, block_text, spec_names, spec_text, word_text, words
from archc.cli.sheet import Entry, sheet
from archc.ops.registries import INITIALISERS, OPERATIONS, POINTWISE, REDUCTIONS

Kind = Literal["ops", "std", "activations", "checks", "specs"]
Line = tuple[str, str]
"""A name and one line about it."""

_STATING_DIAGNOSTICS = ("archc.driver", "archc.codegen.write")
"""Between them these import every module of the compiler."""


def entries(kind: Kind) -> list[Line]:
    """Everything of a kind, in alphabetical order."""
    found = {
        "ops": _operations,
        "std": block_names,
        "activations": _activations,
        "checks": _checks,
        "specs": spec_names,
    }
    return sorted(found[kind]())


def explanation(name: str) -> str | None:
    """What a name means: a diagnostic's code, an operation, a word of the language, a block of the library, a check, a
    spec; None for an unknown name."""
    if (rule := _diagnostics().get(name.upper())) is not None:
        return f"{rule.severity} {rule.code}: {_title(rule)}\n\n{cleandoc(rule.__doc__ or '')}"
    for entry in _entries():
        if entry.word == name:
            return sheet(entry)
    for check in CHECKS:
        if check.word == name:
            return f"{name}: {cleandoc(check.__doc__ or '')}"
    found = block_text(name) or word_text(name) or spec_text(name)
    return found if found or name == name.lower() else explanation(name.lower())


def nearest_name(name: str) -> str | None:
    """The name that `name` is probably a misspelling of."""
    if re.fullmatch(r"[eEwW]\d+", name):
        return nearest(name.upper(), _diagnostics())
    blocks = [full for full, _ in block_names()]
    specs = [path for path, _ in spec_names()]
    short = [PurePosixPath(path).stem for path in specs]
    known = [*(word for word, _ in (*_operations(), *_checks())), *specs, *short, *words(), *blocks]
    return nearest(name, [*known, *(full.rsplit(".", 1)[1] for full in blocks)])


def _diagnostics() -> dict[str, type[Diagnostic]]:
    """All of them: a diagnostic is known once its module is imported."""
    for module in _STATING_DIAGNOSTICS:
        import_module(module)
    list(CHECKS)  # each check states its own diagnostics
    return Diagnostic.catalogue


def _entries() -> Iterator[Entry]:
    yield from OPERATIONS
    yield from POINTWISE
    yield from REDUCTIONS
    yield from INITIALISERS


def _operations() -> Iterator[Line]:
    return ((entry.word, _first_paragraph(entry)) for entry in _entries())


def _activations() -> Iterator[Line]:
    yield from ((entry.word, _first_paragraph(entry)) for entry in POINTWISE if entry.arity == 1)
    yield from ((name, line) for name, line in block_names() if name.startswith("std.activations."))


def _checks() -> Iterator[Line]:
    return ((check.word, _first_paragraph(check)) for check in CHECKS)


def _title(rule: type[Diagnostic]) -> str:
    return re.sub(r"\{\w*\}", "...", rule.title)


def _first_paragraph(entry: type) -> str:
    return cleandoc(entry.__doc__ or "").split("\n\n")[0].replace("\n", " ")
