"""The one place where templates are filled. They hold layout; what fills them is text that was made for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


class Emission(str):
    """Text that the printers made; nothing else may fill a template."""

    __slots__ = ()

    @classmethod
    def of(cls, lines: Iterable[str]) -> Emission:
        """Lines as one text."""
        return cls("\n".join(lines))


@dataclass(frozen=True)
class ClassEmission:
    """The parts of a class, in the order of the template."""

    name: Emission
    doc: Emission
    constructor: Emission
    setup: Emission
    initial: Emission
    forward: Emission
    body: Emission
    output_name: Emission
    outputs: Emission


def render(header: Emission, imports: Emission, routines: Sequence[Emission], classes: Sequence[ClassEmission]) -> str:
    """The text of a module."""
    template = _environment().get_template("module.py.jinja")
    return template.render({"header": header, "imports": imports, "routines": routines, "classes": classes})


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("archc.codegen"),
        undefined=StrictUndefined,
        finalize=_checked,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _checked(value: object) -> str:
    if not isinstance(value, Emission):
        raise TypeError(f"a template is filled with {type(value).__name__}, not with text made for it")
    return value
