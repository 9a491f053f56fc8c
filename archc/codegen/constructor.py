"""The constructor of a class: checks, sizes, parameters, buffers, submodules, and how parameters start."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from archc.codegen.layout import parse, quoted, signature, statement
from archc.codegen.names import attribute
from archc.codegen.unit import Unit
from archc.ir.graph import Symbol
from archc.ir.node import Call, Loop
from archc.ops.registries import INITIALISERS
from archc.readings.schedule.trace import base_kind
from archc.types.size import Size

_INDENT = 8


def size_expression(size: Size) -> str:
    """A size inside the constructor, where symbols are arguments."""
    return size.python(attribute)


def constructor_signature(unit: Unit) -> list[str]:
    """The first line of the constructor, broken where it is long."""
    items = ["self"]
    for symbol in sorted(unit.needed.values(), key=lambda symbol: _default(symbol, unit) is not None):
        default = _default(symbol, unit)
        items.append(f"{attribute(symbol.name)}: int" + ("" if default is None else f" = {default}"))
    return signature("def __init__", items, " -> None:", 4)


def _default(symbol: Symbol, unit: Unit) -> int | None:
    return None if unit.is_body else symbol.default


def checks(unit: Unit) -> list[str]:
    """What raises where the sizes do not fit the block."""
    lines: list[str] = []
    if unit.is_body:
        return lines
    for requirement in unit.block.requirements:
        condition = requirement.condition
        if condition.symbols <= unit.needed.keys():
            wrong = condition.negated
            text = f"{size_expression(wrong.left)} {wrong.operator} {size_expression(wrong.right)}"
            lines += _branch(parse(text), f"{unit.block.word} needs {condition}")
    return lines


def _branch(test: ast.expr, message: str) -> list[str]:
    raised = parse(f"ValueError({quoted(message)})")
    return [*statement("if ", test, _INDENT, ":"), *statement("raise ", raised, _INDENT + 4)]


def parameter_lines(unit: Unit) -> list[str]:
    """The statements that make the parameters, each with its axes."""
    lines: list[str] = []
    for node in unit.parameters:
        type = node.result.type
        name = attribute(node.result.name)
        shape = ", ".join(size_expression(axis.size) for axis in type.axes) if type.axes else "()"
        kind = base_kind(type.kind.word)
        dtype = {"real": "", "int": ", dtype=torch.long", "bool": ", dtype=torch.bool"}.get(
            kind, ", dtype=torch.get_default_dtype().to_complex()"
        )
        empty = f"torch.empty({shape}{dtype})"
        if node.formula is not None:
            continue
        if node.role == "param":
            made = statement(f"self.{name} = ", parse(f"nn.Parameter({empty})"), _INDENT)
        else:
            made = statement("", parse(f"self.register_buffer({quoted(name)}, {empty})"), _INDENT)
        if type.axes and len(made) == 1:
            comment = f"  # [{', '.join(type.names)}]"
            made[0] += comment if len(made[0]) + len(comment) <= 88 else ""
        lines += made
    return lines


def module_lines(unit: Unit, units: Mapping[str, Unit]) -> list[str]:
    """The statements that make the submodules."""
    lines: list[str] = []
    for node in unit.modules:
        name = attribute(node.module)
        made = _instance(node, unit, units)
        if isinstance(node, Loop) and not node.is_shared:
            made = f"nn.ModuleList({made} for _ in range({size_expression(node.passes)}))"
        lines += statement(f"self.{name} = ", parse(made), _INDENT)
    return lines


def _instance(node: Call | Loop, unit: Unit, units: Mapping[str, Unit]) -> str:
    if isinstance(node, Loop):
        if node.direct is not None:
            return _instance(node.direct, unit, units)
        body = unit.bodies[node.module]
        words = [f"{attribute(name)}={attribute(name)}" for name in body.needed]
        return f"{body.class_name}({', '.join(words)})"
    callee = units[node.block]
    sizes = dict(node.sizes)
    words = [f"{attribute(name)}={size_expression(sizes[name])}" for name in callee.needed if name in sizes]
    return f"{callee.class_name}({', '.join(words)})"


def initial_lines(unit: Unit, size: Callable[[str], str]) -> list[str]:
    """The statements that draw the parameters; `size` is the expression of a size symbol there."""
    lines: list[str] = []
    for node in unit.parameters:
        if node.initial is None:
            continue
        start = INITIALISERS[node.initial.word]()
        tensor = f"self.{attribute(node.result.name)}"
        fans = {
            "fan_in": node.initial.fan_in.python(_placeholder),
            "fan_out": node.initial.fan_out.python(_placeholder),
        }
        # a long product has a line of its own
        words = [word if len(fan) > _LONG else fan for word, fan in fans.items()]
        text = start.torch(tensor, node.initial.arguments, *words)
        for word, fan in fans.items():
            if word in words and word in text:
                lines += statement(f"{word} = ", parse(_sized(fan, size)), _INDENT)
        lines += statement("", parse(_sized(text, size)), _INDENT)
    return lines


def _sized(text: str, size: Callable[[str], str]) -> str:
    """The text with the expressions of its size symbols."""
    for word in dict.fromkeys(_PLACEHOLDER.findall(text)):
        text = text.replace(word, size(word.removeprefix("size_of_").removesuffix("_")))
    return text


_LONG = 60
_PLACEHOLDER = re.compile(r"\bsize_of_\w+_\b")


def _placeholder(name: str) -> str:
    return f"size_of_{name}_"
