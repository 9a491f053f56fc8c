"""A registry finds the classes that a package states, one in each file, so that adding one touches no other file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from inspect import getfile, isabstract
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Generic, TypeVar

from archc.base.nearest import nearest

T = TypeVar("T")


class RegistryError(Exception):
    """A file of a registry is at fault: it cannot be imported, leaves a slot empty or takes a word that is taken.

    The message names the class and its file. It is never the fault of a spec.
    """


class Registry(Generic[T]):
    """The concrete subclasses of `base` that the modules of `package` define, by their word.

    A class takes part when it is concrete and sets `key` itself; a base class shared by several of them leaves `key`
    unset. `base.slots` names the attributes that none may leave empty. Nothing is imported before the first look-up.
    """

    def __init__(self, package: str, base: type[T], key: str = "word") -> None:
        self.package = package
        self.base = base
        self.key = key
        self._entries: dict[str, type[T]] | None = None

    def __getitem__(self, word: str) -> type[T]:
        return self._all[word]

    def get(self, word: str) -> type[T] | None:
        """The class of that word, or None."""
        return self._all.get(word)

    def nearest(self, word: str) -> str | None:
        """The registered word that `word` is probably a misspelling of."""
        return nearest(word, self._all)

    def __contains__(self, word: object) -> bool:
        return word in self._all

    def __iter__(self) -> Iterator[type[T]]:
        """The classes in the order of their words."""
        entries = self._all
        return iter([entries[word] for word in sorted(entries)])

    @property
    def words(self) -> tuple[str, ...]:
        """Every word, in order."""
        return tuple(sorted(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def include(self, folder: Path) -> tuple[type[T], ...]:
        """Add the classes of every `*.py` file of a folder; returns them.

        The files are code and run with full trust: only the command line or a test names such a folder, never a spec.
        Raises RegistryError, and then adds none.
        """
        modules = [_load_file(path) for path in sorted(folder.glob("*.py"))]
        entries = dict(self._all)
        added = tuple(added for module in modules for added in self._admit(module, entries))
        self._entries = entries
        return added

    @contextmanager
    def extended(self, folder: Path) -> Iterator[tuple[type[T], ...]]:
        """`include` a folder for the length of a `with` statement."""
        before = self._all
        try:
            yield self.include(folder)
        finally:
            self._entries = before

    @property
    def _all(self) -> dict[str, type[T]]:
        if self._entries is None:
            entries: dict[str, type[T]] = {}
            for module in _modules(import_module(self.package)):
                self._admit(module, entries)
            self._entries = entries
        return self._entries

    def _admit(self, module: ModuleType, entries: dict[str, type[T]]) -> list[type[T]]:
        """Enter the classes that a module defines itself; those it imports belong to another module."""
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, self.base) and value.__module__ == module.__name__
        ]
        admitted = [entry for entry in own if self._takes_part(entry)]
        for entry in admitted:
            self._demand_slots(entry)
            word = getattr(entry, self.key)
            rival = entries.setdefault(word, entry)
            if rival is not entry:
                raise RegistryError(f"{_place(entry)} takes the word `{word}` of {_place(rival)}")
        return admitted

    def _takes_part(self, entry: type[T]) -> bool:
        """A class marked `@final` claims to be whole, so it is never passed over for a slot it forgot."""
        return self.key in vars(entry) or getattr(entry, "__final__", False)

    def _demand_slots(self, entry: type[T]) -> None:
        slots: tuple[str, ...] = (self.key, *getattr(entry, "slots", ()))
        empty = sorted({slot for slot in slots if _is_empty(entry, slot)})
        if isabstract(entry):
            empty = sorted({*empty, *_abstract_names(entry)})
        if empty:
            raise RegistryError(f"{_place(entry)} leaves {', '.join(f'`{slot}`' for slot in empty)} empty")


def _is_empty(entry: type, slot: str) -> bool:
    value = getattr(entry, slot, None)
    return value is None or value == ""


def _abstract_names(entry: Any) -> frozenset[str]:
    names: frozenset[str] = entry.__abstractmethods__
    return names


def _place(entry: type) -> str:
    return f"{entry.__qualname__} in {Path(getfile(entry)).name}"


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    """The modules of a package and of its subpackages, in alphabetical order."""
    for found in sorted(iter_modules(package.__path__), key=lambda found: found.name):
        module = import_module(f"{package.__name__}.{found.name}")
        yield module
        if found.ispkg:
            yield from _modules(module)


def _load_file(path: Path) -> ModuleType:
    """Import a file that belongs to no package; the same file with the same text is imported once."""
    digest = sha256(bytes(path.resolve()) + b"\0" + path.read_bytes()).hexdigest()[:16]
    name = f"archc_plugin_{digest}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RegistryError(f"{path.name} is not a Python file")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise RegistryError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from error
    return module
