"""A registry finds what a package states, and refuses by name what is not whole."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from archc.base.registry import Registry, RegistryError


class Fruit(ABC):
    """What the packages of these tests state."""

    word: ClassVar[str]
    color: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ("word", "color")

    @abstractmethod
    def taste(self) -> str:
        """How it tastes."""


HEAD = "from shelf import Fruit, Stone\n" + "from typing import final\n"
BODY = "    def taste(self):\n        return 'good'\n"


def fruit(name: str, word: str, base: str = "Fruit") -> str:
    return f"class {name}({base}):\n    word = {word!r}\n    color = 'red'\n{BODY}"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh package `fruits` with two fruits, one of them in a subpackage, and a base class of its own."""
    root = tmp_path / "path"
    package = root / "fruits"
    (package / "stone").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "stone" / "__init__.py").write_text("")
    (package / "stone" / "plum.py").write_text(HEAD + fruit("Plum", "plum", "Stone"))
    (package / "apple.py").write_text(HEAD + fruit("Apple", "apple"))
    (package / "common.py").write_text(HEAD + "class Berry(Fruit):\n    color = 'blue'\n")
    before = set(sys.modules)
    monkeypatch.syspath_prepend(root)
    module = type(sys)("shelf")
    module.__dict__.update(Fruit=Fruit, Stone=type("Stone", (Fruit,), {"taste": lambda self: "sweet"}))
    monkeypatch.setitem(sys.modules, "shelf", module)
    yield package
    for name in set(sys.modules) - before:
        if name.split(".")[0] == "fruits" or name.startswith("archc_plugin_"):
            del sys.modules[name]


def words(registry: Registry[Fruit]) -> list[str]:
    return [entry.word for entry in registry]


def test_finds_the_classes_of_a_package_and_its_subpackages(shelf: Path) -> None:
    registry = Registry("fruits", Fruit)
    assert "fruits.apple" not in sys.modules
    assert words(registry) == ["apple", "plum"]
    assert registry["apple"]().taste() == "good"
    assert registry.get("pear") is None
    assert registry.nearest("aple") == "apple"
    assert "plum" in registry
    assert len(registry) == 2
    with pytest.raises(KeyError):
        registry["pear"]


def test_a_class_imported_from_another_file_counts_once(shelf: Path) -> None:
    (shelf / "zest.py").write_text("from fruits.apple import Apple\n")
    assert words(Registry("fruits", Fruit)) == ["apple", "plum"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"class Pear(Fruit):\n    word = 'pear'\n{BODY}", "Pear in pear.py leaves `color` empty"),
        ("class Pear(Fruit):\n    word = 'pear'\n    color = 'green'\n", "Pear in pear.py leaves `taste` empty"),
        (f"@final\nclass Pear(Fruit):\n    color = 'green'\n{BODY}", "Pear in pear.py leaves `word` empty"),
        (fruit("Pear", "apple"), "Pear in pear.py takes the word `apple` of Apple in apple.py"),
    ],
    ids=["slot", "abstract", "word", "duplicate"],
)
def test_refuses_by_name(shelf: Path, text: str, message: str) -> None:
    (shelf / "pear.py").write_text(HEAD + text)
    with pytest.raises(RegistryError, match=message):
        len(Registry("fruits", Fruit))


def test_a_folder_can_be_added(shelf: Path, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "pear.py").write_text(HEAD + fruit("Pear", "pear"))
    registry = Registry("fruits", Fruit)
    with registry.extended(plugins) as (pear,):
        assert registry["pear"] is pear
    assert words(registry) == ["apple", "plum"]
    assert registry.include(plugins) == (pear,)
    assert words(registry) == ["apple", "pear", "plum"]


@pytest.mark.parametrize("text", ["import nothing_of_that_name", "raise SystemExit(0)", "def"])
def test_a_file_that_cannot_be_imported_adds_nothing(shelf: Path, tmp_path: Path, text: str) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "a.py").write_text(HEAD + fruit("Pear", "pear"))
    (plugins / "b.py").write_text(text)
    registry = Registry("fruits", Fruit)
    with pytest.raises(RegistryError, match=r"b\.py cannot be imported"):
        registry.include(plugins)
    assert words(registry) == ["apple", "plum"]
