"""The files a spec is made of: its own, those it uses, the library; and which name means which definition."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

from archc.base.assets import specs_root
from archc.base.diagnostic import Fault, Findings, Note
from archc.base.limits import LIMITS
from archc.base.nearest import nearest
from archc.base.span import Source, Span
from archc.elaborate import faults
from archc.elaborate.binding import Definition
from archc.elaborate.tuples import flattened
from archc.elaborate.words import UNHIDDEN
from archc.syntax import tree
from archc.syntax.faults import NotASpec
from archc.syntax.files import read_source
from archc.syntax.nesting import children
from archc.syntax.parse import parse_sound

PRELUDE = ("edges", "fields", "multigrid", "norm", "activations")
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
    is_library: bool = False
    is_partial: bool = False
    """A `use` failed, or the text of one: what the file's unknown names mean cannot be told."""
    faulty: set[str] = field(default_factory=set)
    """Definitions that do not parse or have a wrong signature: nothing more is said of them and of what calls them."""

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

    def is_sure_of(self, parts: tuple[str, ...]) -> bool:
        """Whether a name that `find` does not know means nothing: no text with a fault would give it a meaning."""
        module = self.modules.get(parts[0]) if len(parts) == 2 else None
        return not (self.is_partial or parts[0] in self.faulty) and (module is None or module.is_sure_of(parts[1:]))

    @property
    def words(self) -> Iterator[str]:
        """Every name that `find` knows, for suggestions."""
        for file in (self, *self.prelude):
            yield from file.definitions
        for alias, module in self.modules.items():
            yield from (f"{alias}.{name}" for name in module.definitions)

    @cached_property
    def axes(self) -> frozenset[str]:
        """Every name that the file gives to an axis, or may give to one: whatever is no plain operand."""
        return frozenset(_axes(self.spec))

    @cached_property
    def own(self) -> tuple[Definition, ...]:
        """The definitions written in this file, in order."""
        return tuple(Definition(flat.tree, self, flat) for flat in map(flattened, self.spec.definitions))

    @cached_property
    def owned(self) -> dict[str, Definition]:
        """The definitions written in this file, by name."""
        return {one.tree.name: one for one in self.own}


def _axes(node: tree.Tree) -> Iterator[str]:
    match node:
        case (
            tree.AxisType(name=name) | tree.AxisSize(name=name) | tree.BoundAxis(name=name) | tree.IndexEntry(axis=name)
        ):
            yield name.text
        case tree.Argument(name=str(), value=value) | tree.Action(arguments=(value, *_)):
            yield from (part.text for part in (value, *children(value)) if isinstance(part, tree.Name))
        case _:
            pass
    for child in children(node):
        yield from _axes(child)


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
    file.is_library = True
    return file


@cache
def prelude() -> tuple[File, ...]:
    """The files of the library that every spec sees."""
    return tuple(file for name in PRELUDE if (file := library_file(name)) is not None)


def library_names() -> tuple[str, ...]:
    """Names of the library's files."""
    return tuple(sorted(path.stem for path in (specs_root() / "std").glob("*.arch")))


def library_words() -> Iterable[str]:
    """Every block that a spec must `use`."""
    return _homes().keys()


def library_home(word: str) -> str | None:
    """What to `use` for a block of the library, such as `std.mlp`; None where the library has no block of that
    name."""
    return _homes().get(word)


@cache
def _homes() -> dict[str, str]:
    homes: dict[str, str] = {}
    for name in library_names():
        file = library_file(name)
        for one in file.own if file is not None and name not in PRELUDE else ():
            word = one.tree.name
            homes[word] = f"std.{name}" if word == name else f"std.{name}.{word}"
    return homes


def load_file(
    source: Source,
    root: Path | None,
    findings: Findings,
    *,
    is_prelude: bool = False,
    chain: tuple[Path, ...] = (),
    loaded: dict[Path, File | None] | None = None,
) -> File | None:
    """Parse a source and the files it uses. `root` is the folder that no `use "..."` leaves (None: no such uses).

    Reports what is wrong with the file and its uses; None where nothing of it could be parsed.
    """
    spec, unsound = parse_sound(source, findings)
    if spec is None:
        return None
    if root is not None and not chain:
        chain = (Path(os.path.realpath(source.path)),)
    loaded = {} if loaded is None else loaded
    file = File(source, spec, root, prelude=() if is_prelude else prelude(), is_partial=unsound is None)
    file.faulty.update(unsound or ())
    if chain:
        loaded[chain[-1]] = file
    for definition in file.own:
        name = definition.tree.name
        if name in file.definitions:
            first = Note(file.definitions[name].tree.head.word(name), "the first one")
            findings.add(faults.RepeatedName(definition.tree.head.word(name), name=name, notes=[first]))
            file.faulty.add(name)
        file.definitions[name] = definition
        if name in UNHIDDEN:
            help = "give it another name"
            findings.add(faults.ReservedName(definition.tree.head.word(name), name=name, help=help))
        for fault in _repeated(definition.tree):
            findings.add(fault)
            file.faulty.add(name)
    for use in spec.uses:
        try:
            if isinstance(use.path, tuple):
                _use_library(file, use, use.path)
            else:
                _use_file(file, use, use.path, findings, chain, loaded)
        except Fault as fault:
            findings.add(fault.diagnostic)
            file.is_partial = True
    return file


def _repeated(definition: tree.Definition) -> Iterator[faults.RepeatedName]:
    """Two inputs (hyper-parameters and ports) of one name, and two such outputs."""
    inputs: list[tuple[str, Span]] = []
    for hyper in definition.hypers:
        if isinstance(hyper, tree.HyperArrow):
            inputs += [(name, hyper.span.word(name)) for name in (hyper.source, hyper.target)]
        else:
            inputs.append((hyper.name, hyper.span.word(hyper.name)))
    inputs += [(port.name, port.span.word(port.name)) for port in definition.inputs]
    outputs = [(port.name, port.span.word(port.name)) for port in definition.outputs]
    for group in (inputs, outputs):
        first: dict[str, Span] = {}
        for name, span in group:
            if name in first:
                yield faults.RepeatedName(span, name=name, notes=[Note(first[name], "the first one")])
            first.setdefault(name, span)


def _use_library(file: File, use: tree.Use, path: tuple[str, ...]) -> None:
    module = library_file(path[1]) if path[0] == "std" and 2 <= len(path) <= 3 else None
    found = module.owned.get(path[-1]) if module else None
    if found is None:
        name = ".".join(path)
        raise Fault(faults.UnknownModule(use.span.word(name), name=name, help=_other_use(path, module)))
    _bring(file, use.span.word(".".join(path)), use.alias or path[-1], found)


def _other_use(path: tuple[str, ...], module: File | None) -> str:
    """What to write for a `use` of nothing in the library, where `module` is the file that it goes through."""
    word = path[-1]
    if any(word in file.definitions for file in prelude()):
        return f"leave this line out: every spec sees `{word}`"
    if module is not None and len(path) == 2:
        if word in PRELUDE:
            return f"leave this line out: every spec sees {', '.join(module.owned)}"
        return f"name a block: {', '.join(f'`use std.{word}.{one}`' for one in module.owned)}"
    if home := library_home(word):
        return f"write `use {home}`"
    prefix, words = (f"std.{path[1]}", tuple(module.owned)) if module else ("std", library_names())
    near = nearest(word, words)
    return f"did you mean `{prefix}.{near}`?" if near else f"`{prefix}` has {', '.join(words)}"


def _bring(file: File, span: Span, name: str, definition: Definition) -> None:
    """Give a definition of another file its name here. Raises Fault E0403, E0404 where the name is taken."""
    if name in UNHIDDEN:
        raise Fault(faults.ReservedName(span, name=name, help="give it another name with `as`"))
    known = file.definitions.setdefault(name, definition)
    if known != definition:
        first = Note(known.tree.head.word(known.tree.name), "the first one")
        help = "give one of them another name with `as`"
        raise Fault(faults.RepeatedName(span, name=name, notes=[first], help=help))


def _use_file(
    file: File, use: tree.Use, text: str, findings: Findings, chain: tuple[Path, ...], loaded: dict[Path, File | None]
) -> None:
    span = use.span.word(f'"{text}"')
    shown = _contained(file, span, text)
    path = Path(os.path.realpath(shown))
    if path in chain:
        circle = " -> ".join(one.name for one in (*chain[chain.index(path) :], path))
        help = "leave this line out: a file sees its own blocks" if path == chain[-1] else ""
        raise Fault(faults.UseCycle(span, path=text, chain=circle, help=help))
    if path not in loaded:
        total = sum(len(one.source.text) for one in loaded.values() if one is not None)
        if len(loaded) >= LIMITS.files or total > LIMITS.total_bytes:
            raise Fault(faults.TooManyFiles(span, files=LIMITS.files, bytes=LIMITS.total_bytes))
        loaded[path] = None
        load_file(read_source(shown, span=span), file.root, findings, chain=(*chain, path), loaded=loaded)
    module = loaded[path]
    if module is None:  # its own faults are reported
        file.is_partial = True
    elif use.alias:
        file.modules[use.alias] = module
    else:
        file.faulty |= module.faulty - module.definitions.keys()
        for definition in module.own:
            _bring(file, span, definition.tree.name, definition)


def _contained(file: File, span: Span, text: str) -> Path:
    """The file a `use` names, from the folder of the file that writes it, proved to lie inside the spec's folder."""
    outside = faults.OutsideFolder(span, path=text, help="name a file inside the folder of the spec")
    pure = PurePosixPath(text)
    strange = any(char in text for char in "\\\0:") or any(
        part != part.rstrip(" .") for part in pure.parts if part != ".."
    )
    if file.root is None or strange or pure.is_absolute():
        raise Fault(outside)
    if pure.suffix != ".arch":
        raise Fault(NotASpec(span, path=text, help="a file that is used ends in `.arch`"))
    shown = Path(file.source.path).parent / pure
    if not Path(os.path.realpath(shown)).is_relative_to(os.path.realpath(file.root)):
        raise Fault(outside)
    return shown


def whole(source: Source) -> Span:
    """The first character of a source: where a file as a whole is blamed."""
    return Span(source, 0, min(1, len(source.text)))
