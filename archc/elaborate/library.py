"""The files a spec is made of: its own, those it uses, the library; and which name means which definition."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

from archc.base.assets import specs_root
from archc.base.diagnostic import Diagnostic, Fault, Findings
from archc.base.limits import LIMITS
from archc.base.nearest import nearest
from archc.base.span import Source, Span
from archc.elaborate import faults
from archc.elaborate.binding import Definition
from archc.syntax import tree
from archc.syntax.faults import MissingFile, NotASpec
from archc.syntax.files import read_source
from archc.syntax.parse import parse

PRELUDE = ("edges", "norm", "activations")
"""Files of the library whose blocks every spec sees."""


@dataclass(eq=False)
class File:
    """A parsed file and what its names mean: its own definitions, what it uses, then the prelude."""

    source: Source
    spec: tree.Spec
    root: Path | None
    definitions: dict[str, Definition] = field(default_factory=dict)
    modules: dict[str, File] = field(default_factory=dict)
    prelude: tuple[File, ...] = ()

    def find(self, parts: tuple[str, ...]) -> Definition | None:
        """The definition a (dotted) name means here."""
        if len(parts) == 2 and parts[0] in self.modules:
            return self.modules[parts[0]].definitions.get(parts[1])
        if len(parts) != 1:
            return None
        found = self.definitions.get(parts[0])
        for file in self.prelude:
            found = found or file.definitions.get(parts[0])
        return found

    @property
    def words(self) -> Iterator[str]:
        """Every name that `find` knows, for suggestions."""
        for file in (self, *self.prelude):
            yield from file.definitions

    @property
    def own(self) -> tuple[Definition, ...]:
        """The definitions written in this file, in order."""
        return tuple(Definition(one, self) for one in self.spec.definitions)


@cache
def library_file(name: str) -> File | None:
    """A file of the library by its name; None where there is none. The library has no errors, which tests hold."""
    path = specs_root() / "std" / f"{name}.arch"
    if not path.is_file():
        return None
    findings = Findings()
    source = Source(f"std/{name}.arch", path.read_text(encoding="utf-8"))
    file = load_file(source, None, findings, is_prelude=name in PRELUDE)
    if file is None or findings.errors:
        raise Fault(findings.errors[0])
    return file


@cache
def prelude() -> tuple[File, ...]:
    """The files of the library that every spec sees."""
    return tuple(file for name in PRELUDE if (file := library_file(name)) is not None)


def library_names() -> tuple[str, ...]:
    """Names of the library's files."""
    return tuple(sorted(path.stem for path in (specs_root() / "std").glob("*.arch")))


def load_file(
    source: Source,
    root: Path | None,
    findings: Findings,
    *,
    is_prelude: bool = False,
    chain: tuple[Path, ...] = (),
    loaded: dict[Path, File] | None = None,
) -> File | None:
    """Parse a source and the files it uses. `root` is the folder that `use "..."` may not leave (None: no such uses).

    Reports what is wrong with the file and its uses; None where nothing of it could be parsed.
    """
    spec = parse(source, findings)
    if spec is None:
        return None
    file = File(source, spec, root, prelude=() if is_prelude else prelude())
    for definition in file.own:
        name = definition.tree.name
        if name in file.definitions:
            findings.add(faults.RepeatedName(definition.tree.head, name=name))
        file.definitions[name] = definition
    for use in spec.uses:
        try:
            if isinstance(use.path, tuple):
                _use_library(file, use, use.path)
            else:
                _use_file(file, use, use.path, findings, chain, {} if loaded is None else loaded)
        except Fault as fault:
            findings.add(fault.diagnostic)
    return file


def _use_library(file: File, use: tree.Use, path: tuple[str, ...]) -> None:
    if path[0] != "std" or not 2 <= len(path) <= 3:
        known = nearest(path[-1], library_names())
        raise Fault(
            faults.UnknownModule(use.span, name=".".join(path), help=f"write `use std.{known or library_names()[0]}`")
        )
    module = library_file(path[1])
    found = module.definitions.get(path[-1]) if module else None
    if found is None:
        near = nearest(path[-1], module.definitions if module else library_names())
        prefix = ".".join(path[:-1])
        help = f"did you mean `{prefix}.{near}`?" if near else f"there are {', '.join(library_names())}"
        raise Fault(faults.UnknownModule(use.span, name=".".join(path), help=help))
    file.definitions.setdefault(use.alias or path[-1], found)


def _use_file(
    file: File, use: tree.Use, text: str, findings: Findings, chain: tuple[Path, ...], loaded: dict[Path, File]
) -> None:
    path = _contained(file, use, text)
    if path in chain or (not chain and file.root is not None and path == (file.root / file.source.path).resolve()):
        raise Fault(faults.UseCycle(use.span, path=text, chain=" -> ".join(p.name for p in (*chain, path))))
    if len(loaded) >= LIMITS.files:
        raise Fault(faults.TooManyNodes(use.span, limit=LIMITS.files))
    if path not in loaded:
        source = read_source(path, span=use.span)
        module = load_file(source, file.root, findings, chain=(*chain, path), loaded=loaded)
        if module is None:
            raise Fault(MissingFile(use.span, path=text, reason="it has syntax errors"))
        loaded[path] = module
    module = loaded[path]
    if use.alias:
        file.modules[use.alias] = module
        return
    for definition in module.own:
        file.definitions.setdefault(definition.tree.name, definition)


def _contained(file: File, use: tree.Use, text: str) -> Path:
    """The file a `use` names, proved to lie inside the spec's folder tree."""
    outside: Diagnostic = faults.OutsideFolder(use.span, path=text, help="name a file inside the folder of the spec")
    pure = PurePosixPath(text)
    strange = any(char in text for char in "\\\0:") or text != text.strip(" .") or not text
    if file.root is None or strange or pure.is_absolute() or ".." in pure.parts:
        raise Fault(outside)
    if pure.suffix != ".arch":
        raise Fault(NotASpec(use.span, path=text))
    root = Path(os.path.realpath(file.root))
    path = root / pure
    if Path(os.path.realpath(path)) != path:
        raise Fault(outside)
    return path


def whole(source: Source) -> Span:
    """The first character of a source: where a file as a whole is blamed."""
    return Span(source, 0, min(1, len(source.text)))
