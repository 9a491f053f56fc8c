"""One class of the generated module: its constructor, its forward and its docstring, as lines of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from archc.codegen.body import Body
from archc.codegen.comment import axes_comment, remark
from archc.codegen.constant import constant_lines
from archc.codegen.constructor import checks, constructor_signature, initial_lines, module_lines, parameter_lines
from archc.codegen.docs import docstring
from archc.codegen.forward import INDENT, Forward, Surroundings
from archc.codegen.layout import WIDTH, parse, quoted, signature, statement
from archc.codegen.names import Names, attribute
from archc.codegen.unit import Unit
from archc.ir.graph import Block
from archc.ops.operation import Routine
from archc.readings.schedule.region import Schedule, Signature, schedule
from archc.readings.schedule.tensor import Range
from archc.readings.schedule.trace import base_kind
from archc.types.size import Facts, Size
from archc.types.tensor_type import TensorType

_REAL = ("real", "complex")


@dataclass
class ClassText:
    """The lines of a class, without its name."""

    name: str
    doc: list[str]
    constructor: list[str]
    setup: list[str]
    initial: list[str]
    forward: list[str]
    body: list[str]
    output_name: str
    outputs: list[str]
    routines: Mapping[str, Routine]

    @property
    def key(self) -> tuple[object, ...]:
        """What two classes share that may be one: everything but name, docstring and comments."""
        parts = (self.constructor, self.setup, self.initial, self.forward, self.body, self.outputs)
        lines = [_COMMENT.sub("", line) for part in parts for line in part]
        return tuple(line for line in lines if line)


_COMMENT = re.compile(r"(^\s*|  )# [^\"]*$")


class ClassWriter:
    """Writes the class of a unit. `units` are the blocks that are written already, by key."""

    def __init__(self, unit: Unit, units: Mapping[str, Unit], output_name: str = "") -> None:
        self.unit = unit
        self.output_name = output_name
        self.units = units
        self.attributes = Names(
            [*(attribute(p.result.name) for p in unit.parameters), *(attribute(m.module) for m in unit.modules)]
        )
        self.stored: dict[str, str] = {}
        self.buffers: dict[tuple[Size, bool], tuple[str, str]] = {}
        self.like = ""
        self.names = Names()
        self.heads: dict[str, tuple[str, str]] = {}
        self.inputs: dict[str, str] = {}
        self.lines: list[str] = []

    def write(self) -> ClassText:
        """The whole class."""
        unit = self.unit
        for part in unit.bodies.values():
            unit.needed |= {name: symbol for name, symbol in part.needed.items() if name not in unit.needed}
        typical = {symbol.name: symbol.default for symbol in unit.block.symbols if symbol.default is not None}
        known = [*unit.block.facts, *(needed.condition for needed in unit.block.requirements)]
        captured = {value.name: value.type for value in unit.captured}
        facts = Facts(tuple(known))
        signatures = {key: _signature(callee.block) for key, callee in self.units.items()}
        # what a pass yields is what the next one takes
        outputs = _handed_on(unit) if unit.is_body else None
        plan = schedule(unit.region, facts, typical, captured, signatures, outputs)
        for value in unit.inputs:
            self.inputs[value.name] = self.names.fresh(value.name)
        for node in unit.parameters:
            self.inputs[node.result.name] = f"self.{attribute(node.result.name)}"
        body = self._body(plan)
        setup = [
            *checks(unit),
            *self._stored_lines(),
            *parameter_lines(unit),
            *constant_lines(unit, facts),
            *self._buffer_lines(),
            *module_lines(unit, self.units),
        ]
        # the statements that draw parameters may store a size of their own, so they come before the sizes are written
        return ClassText(
            unit.class_name,
            docstring(unit),
            constructor_signature(unit),
            setup,
            self._initial,
            self._signature(),
            body,
            self.output_name,
            self._outputs(),
            plan.trace.routines,
        )

    def _body(self, plan: Schedule) -> list[str]:
        around = Surroundings(self._size, self._buffer, self._device, self._dtype)
        forward = Forward(around, self.names, self.inputs)
        self._initial = initial_lines(self.unit, self._stored)
        blocks = {key: unit.block for key, unit in self.units.items()}
        Body(self.unit, plan, forward, self.output_name, blocks).write()
        heads = [line for name, text in self.heads.values() for line in statement(f"{name} = ", parse(text), INDENT)]
        return [*heads, *forward.lines]

    def _stored(self, symbol: str) -> str:
        if symbol not in self.stored:
            self.stored[symbol] = self.attributes.fresh(attribute(symbol))
        return f"self.{self.stored[symbol]}"

    def _stored_lines(self) -> list[str]:
        known = [symbol for symbol in self.unit.needed if symbol in self.stored]
        return [f"        self.{self.stored[symbol]} = {attribute(symbol)}" for symbol in known]

    def _size(self, symbol: str) -> str:
        """A size symbol in the forward: kept from the constructor, or read from the shape of an input; where no input
        tells it, given to the pass of a loop by the loop, and to a block by whoever builds the class."""
        unit = self.unit
        if not any(symbol in known for known in (unit.needed, unit.asked, self.heads)):
            known = next(one for one in unit.block.symbols if one.name == symbol)
            source = self._shape_with(symbol)
            if source is not None:
                self.heads[symbol] = (self.names.fresh(symbol), source)
            elif unit.is_body and known.role == "axis":
                unit.asked[symbol] = self.names.fresh(symbol)
            else:
                unit.needed[symbol] = known
        if symbol in unit.needed:
            return self._stored(symbol)
        return unit.asked[symbol] if symbol in unit.asked else self.heads[symbol][0]

    def _shape_with(self, symbol: str) -> str | None:
        """The expression of a size from the shape of an input whose axis is a multiple of it, plus a constant."""
        found: list[tuple[int, str]] = []
        for value in self.unit.inputs:
            for dim, axis in enumerate(value.type.axes):
                if axis.size.symbols != {symbol}:
                    continue
                offset = axis.size.offset
                step = (axis.size - offset).content
                if axis.size != step * Size.symbol(symbol) + offset:
                    continue
                text = f"{self.inputs[value.name]}.shape[{dim - len(value.type.axes)}]"
                if offset:
                    text = f"({text} {'-' if offset > 0 else '+'} {abs(offset)})"
                found.append((abs(offset) + abs(step - 1), text if step == 1 else f"{text} // {step}"))
        return min(found)[1] if found else None

    def _buffer(self, step: Range) -> str | None:
        """The attribute that holds the positions of an axis, where its size is known to the constructor."""
        if not step.size.symbols <= self.unit.needed.keys():
            return None
        key = (step.size, step.real)
        if key not in self.buffers:
            name = self.attributes.fresh(f"{step.hint}_position")
            dtype = "torch.get_default_dtype()" if step.real else ""
            size = step.size.python(attribute)
            made = f"torch.arange({size}, dtype={dtype})" if dtype else f"torch.arange({size})"
            self.buffers[key] = (name, made)
        return f"self.{self.buffers[key][0]}"

    def _buffer_lines(self) -> list[str]:
        lines: list[str] = []
        for name, made in self.buffers.values():
            call = f"self.register_buffer({quoted(name)}, {made}, persistent=False)"
            lines += statement("", parse(call), INDENT)
        if self.like:
            call = f"self.register_buffer({quoted(self.like)}, torch.empty(0), persistent=False)"
            lines += statement("", parse(call), INDENT)
        return lines

    def _device(self) -> str:
        return f"{self._tensor(('real', 'complex', 'int', 'bool'))}.device"

    def _dtype(self) -> str:
        return f"{self._tensor(('real',))}.dtype"

    def _tensor(self, kinds: tuple[str, ...]) -> str:
        """The first input, else parameter, of one of the kinds; where there is none, an empty buffer, which moves to
        another device and precision with the module."""
        for value in (*self.unit.inputs, *(node.result for node in self.unit.parameters)):
            if base_kind(value.type.kind.word) in kinds:
                return self.inputs[value.name]
        self.like = self.like or self.attributes.fresh("like")
        return f"self.{self.like}"

    def _outputs(self) -> list[str]:
        """The fields of the named tuple of several results."""
        if not self.output_name:
            return []
        fields = Names(("count", "index"))
        lines: list[str] = []
        for one in self.unit.block.outputs:
            field, comment = f"    {fields.fresh(one.name)}: Tensor", axes_comment(one.type.names)
            is_short = len(field) + len(comment) + 4 <= WIDTH
            lines += [f"{field}  # {comment}"] if is_short else [*remark(comment, 4), field]
        return lines

    def _signature(self) -> list[str]:
        inputs = self.unit.inputs
        items = ["self", *(f"{self.inputs[value.name]}: Tensor" for value in inputs)]
        items += [f"{name}: int" for name in self.unit.asked.values()]
        lines = signature("def forward", items, f" -> {self._result()}:", 4)
        notes = [f"{self.inputs[value.name]} {axes_comment(value.type.names)}" for value in inputs]
        comment = "  ".join(notes)
        if comment and len(lines) == 1 and len(lines[0]) + len(comment) + 4 <= WIDTH:
            lines[0] += f"  # {comment}"
        elif comment:
            lines += remark(comment, INDENT)
        return lines

    def _result(self) -> str:
        count = len(self.unit.region.outputs)
        if count == 1:
            return "Tensor"
        return self.output_name or f"tuple[{', '.join(['Tensor'] * count)}]"


def _handed_on(unit: Unit) -> list[TensorType]:
    """What the outputs of a loop's body are handed over as: carries as the next pass takes them, the rest as it is."""
    types = {value.name: value.type for value in unit.captured} | unit.region.values
    carries = [value.type for value in unit.region.inputs[: unit.carried]]
    return [*carries, *(types[name] for name in unit.region.outputs[unit.carried :])]


def _signature(block: Block) -> Signature:
    inputs = tuple(value.type for value in block.region.inputs)
    return Signature(inputs, tuple(value.type for value in block.outputs))
