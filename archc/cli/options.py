"""What the user writes after an option, as values; a mistake is a usage error that names the option."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from shutil import get_terminal_size
from typing import TypeVar

import typer

from archc.base.escape import escape
from archc.base.nearest import nearest

V = TypeVar("V")

_INTEGER = re.compile(r"[+-]?[0-9]{1,16}")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def value(text: str) -> int | float | bool | str:
    """`8`, `0.1`, `true` and `false`, or a word such as `relu`."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text) and isfinite(float(text)):
        return float(text)
    return {"true": True, "false": False}.get(text, text)


def size(text: str) -> int:
    """A whole number of at least zero."""
    if not _INTEGER.fullmatch(text) or int(text) < 0:
        raise ValueError("a size is a whole number")
    return int(text)


def hypers(given: Sequence[str]) -> dict[str, int | float | bool | str]:
    """The hyper-parameters of a net, from `--set`."""
    found = pairs("--set", given, value)
    if "net" in found:
        raise typer.BadParameter("`net` is a word of the language; choose a net with `--net NAME`", param_hint="--set")
    return found


def pairs(option: str, given: Sequence[str], read: Callable[[str], V]) -> dict[str, V]:
    """The values of an option that is written once for each `name=value`."""
    found: dict[str, V] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not text or not _NAME.fullmatch(name):
            raise typer.BadParameter(f"`{pair}` is not of the form name=value", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"`{name}` is given twice", param_hint=option)
        try:
            found[name] = read(text)
        except ValueError as error:
            raise typer.BadParameter(f"`{pair}`: {error}", param_hint=option) from error
    return found


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """What reads one of some words."""

    def read(text: str) -> str:
        if text not in words:
            near = nearest(text, words)
            meant = f"did you mean `{near}`?" if near else f"write {', '.join(words[:-1])} or {words[-1]}"
            raise typer.BadParameter(f"there is no `{escape(text)}`; {meant}")
        return text

    return read


def fitted(line: str) -> str:
    """A line with nothing in it that a terminal obeys; cut to the width of the terminal, where there is one."""
    shown = escape(line)
    if not sys.stdout.isatty():
        return shown
    width = get_terminal_size().columns
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."


def spec_files(paths: Iterable[Path]) -> list[Path]:
    """The paths, each folder replaced by the specs in it and below it, in alphabetical order; each file once."""
    files: dict[Path, None] = {}
    for path in paths:
        found = sorted(one for one in path.rglob("*.arch") if one.is_file()) if path.is_dir() else [path]
        if not found:
            raise typer.BadParameter(f"`{path}` holds no .arch file", param_hint="PATH")
        files.update(dict.fromkeys(found))
    return list(files)
