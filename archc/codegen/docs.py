"""The docstring of a class: signature, what was fixed, claims and what is known of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from archc.codegen.comment import escaped
from archc.codegen.layout import WIDTH
from archc.codegen.unit import Unit
from archc.ir.node import Value
from archc.types.tensor_type import TensorType


def docstring(unit: Unit) -> list[str]:
    """The lines between the quotes, without indentation of the first; wrapped, escaped, never ending in a quote."""
    block = unit.block
    outputs = [Value(name, unit.region.values.get(name) or _captured(unit, name)) for name in unit.region.outputs]
    if unit.is_body:
        what = f"One pass of a loop of {block.word}"
    else:
        outputs = list(block.outputs)
        what = block.word
    paragraphs = [[f"{what}: ({_ports(unit.inputs)}) -> ({_ports(outputs)})"]]
    if not unit.is_body:
        if block.fixed:
            paragraphs.append([f"with {', '.join(f'{name} = {value}' for name, value in block.fixed)}"])
        if block.claims:
            paragraphs.append([f"{claim.text}: {claim.verdict}" for claim in block.claims])
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [""] if lines else []
        for text in paragraph:
            lines += textwrap.wrap(_safe(text), WIDTH - 10, break_on_hyphens=False)
    return lines


def _captured(unit: Unit, name: str) -> TensorType:
    return next(value.type for value in unit.captured if value.name == name)


def _ports(values: Iterable[Value]) -> str:
    return ", ".join(f"{value.name}: {value.type}" for value in values)


def _safe(text: str) -> str:
    """Text that cannot end the docstring or escape in it."""
    return escaped(text).replace("\\", "\\\\").replace('"', "'")
