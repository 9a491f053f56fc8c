"""The grammars and the library of specs that come with the compiler."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _data() -> Path:
    """In a wheel both folders lie under `archc/data`; in a checkout they stand beside the package."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "data"
    return shipped if shipped.is_dir() else package.parent


def grammar_root() -> Path:
    """The folder that holds the grammar and its parts."""
    return _data() / "grammars"


def grammar(name: str) -> str:
    """The text of a file in `grammars/`, such as `archc.lark`.

    Raises FileNotFoundError when there is none of that name.
    """
    return (grammar_root() / name).read_text(encoding="utf-8")


def specs_root() -> Path:
    """The folder of the specs that come with the compiler: `std/` and the families of published architectures."""
    return _data() / "specs"
