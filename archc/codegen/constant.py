"""Constants that a formula gives, computed once by the constructor."""

from __future__ import annotations

from archc.codegen.constructor import size_expression
from archc.codegen.forward import INDENT, Forward, Surroundings
from archc.codegen.layout import flat, parse, quoted, statement
from archc.codegen.mode import Root
from archc.codegen.names import Names, attribute
from archc.codegen.unit import Unit
from archc.readings.schedule.region import schedule_constant
from archc.types.size import Facts, Size


def constant_lines(unit: Unit, facts: Facts) -> list[str]:
    """The statements that compute the constants and keep them as buffers, which are no part of the state dict."""
    lines: list[str] = []
    types = unit.region.values
    names = Names(attribute(name) for name in unit.needed)
    for node in unit.parameters:
        if node.formula is None:
            continue
        around = Surroundings(_size, lambda _: None, str, lambda: "torch.get_default_dtype()")
        forward = Forward(around, names, {name: f"self.{attribute(name)}" for name in types})
        tensor = schedule_constant(node, types, facts)
        forward.count([Root(tensor)])
        name = attribute(node.result.name)
        value = flat(forward.fitted(tensor, len(name) + 47))
        call = f"self.register_buffer({quoted(name)}, {value}, persistent=False)"
        lines += [*forward.lines, *statement("", parse(call), INDENT)]
    return lines


def _size(symbol: str) -> str:
    return size_expression(Size.symbol(symbol))
