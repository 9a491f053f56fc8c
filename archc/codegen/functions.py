"""Functions that a generated module holds once where its classes call them: what a line of torch cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_SUFFIX = ".py.jinja"


@cache
def words() -> frozenset[str]:
    """The names of the functions; nothing else in a generated module is called so."""
    folder = files("archc.codegen").joinpath("templates", "functions")
    return frozenset(one.name.removesuffix(_SUFFIX) for one in folder.iterdir() if one.name.endswith(_SUFFIX))


@cache
def text_of(word: str) -> str:
    """The text of a function, as `ruff format` leaves it."""
    return files("archc.codegen").joinpath("templates", "functions", word + _SUFFIX).read_text(encoding="utf-8")


def called_in(text: str) -> list[str]:
    """The functions that a text calls, and those that they call, each after what it calls itself."""
    found: dict[str, None] = {}

    def visit(body: str, of: str) -> None:
        for word in _calls(body):
            if word != of and word not in found:
                visit(text_of(word), word)
                found[word] = None

    visit(text, "")
    return list(found)


def _calls(text: str) -> Iterator[str]:
    known = words()
    for match in re.finditer(r"(?<![\w.])([A-Za-z]\w*)(?=[(.])", text):
        if match[1] in known:
            yield match[1]
