"""One class of the generated module: its constructor, its forward and its docstring, as lines of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from archc.base.span import Span
from archc.codegen.constructor import checks, constructor_signature, initial_lines, module_lines, parameter_lines
from archc.codegen.docs import docstring
from archc.codegen.forward import INDENT, Forward, Surroundings, axes_comment, escaped, remark
from archc.codegen.layout import WIDTH, flat, parse, quoted, signature, statement
from archc.codegen.names import Names, attribute
from archc.codegen.unit import Unit
from archc.ir.node import Call, Repeat
from archc.readings.schedule.region import Bound, Called, Checked, Looped, Schedule, schedule
from archc.readings.schedule.tensor import Laid, Range, Tensor
from archc.readings.schedule.trace import base_kind
from archc.types.size import Condition, Facts, Size

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
    outputs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def key(self) -> tuple[object, ...]:
        """What two classes share that may be one: everything but name, docstring and comments."""
        parts = (self.constructor, self.setup, self.initial, self.forward, self.body)
        return tuple(_COMMENT.sub("", line) for part in parts for line in part)


_COMMENT = re.compile(r"\s*# \[.*$|^\s*#.*$")


class ClassWriter:
    """Writes the class of a unit. `units` are the blocks that are written already, by key."""

    def __init__(self, unit: Unit, units: Mapping[str, Unit]) -> None:
        self.unit = unit
        self.units = units
        self.attributes = Names(
            [*(attribute(p.result.name) for p in unit.parameters), *(attribute(m.module) for m in unit.modules)]
        )
        self.stored: dict[str, str] = {}
        self.buffers: dict[tuple[Size, bool], tuple[str, str]] = {}
        self.names = Names()
        self.heads: dict[str, str] = {}
        self.inputs: dict[str, str] = {}
        self.lines: list[str] = []

    def write(self) -> ClassText:
        """The whole class."""
        unit = self.unit
        typical = {symbol.name: symbol.default for symbol in unit.block.symbols if symbol.default is not None}
        known = [*unit.block.facts, *(needed.condition for needed in unit.block.requirements)]
        captured = {value.name: value.type for value in unit.captured}
        plan = schedule(unit.region, Facts(tuple(known)), typical, captured)
        for value in unit.inputs:
            self.inputs[value.name] = self.names.fresh(value.name)
        for node in unit.parameters:
            self.inputs[node.result.name] = f"self.{attribute(node.result.name)}"
        body = self._body(plan)
        setup = [
            *checks(unit),
            *self._stored_lines(),
            *parameter_lines(unit),
            *self._buffer_lines(),
            *module_lines(unit, self.units),
        ]
        # the statements that draw parameters may store a size of their own, so they come before the sizes are written
        return ClassText(
            unit.class_name, docstring(unit), constructor_signature(unit), setup, self._initial, self._signature(), body
        )

    def _body(self, plan: Schedule) -> list[str]:
        around = Surroundings(self._size, self._buffer, self._device, self._dtype)
        self.forward = Forward(around, self.names, self.inputs)
        self._initial = initial_lines(self.unit, self._stored)
        self.forward.count(_roots(plan))
        outputs = plan.outputs
        last = plan.statements[-1] if plan.statements else None
        for item in plan.statements:
            match item:
                case Bound(value, laid, node):
                    returned = (
                        item is last and outputs == (laid.tensor,) and self.forward.counts[laid.tensor.serial] == 1
                    )
                    if returned:
                        return self._returned(plan, self._comment(laid, node.span))
                    if self.forward.is_needed(laid.tensor):
                        self.forward.bind(laid.tensor, value.name, self._comment(laid, node.span))
                case Called():
                    self._called(item)
                case Looped():
                    self._looped(item)
                case Checked():
                    self._checked(item)
        return self._returned(plan, "")

    def _returned(self, plan: Schedule, comment: str) -> list[str]:
        forward = self.forward
        if len(plan.outputs) == 1:
            (output,) = plan.outputs
            tree = forward.reference(output) if forward.is_named(output) else forward.fitted(output, 7)
            forward.write("return ", tree, comment)
        else:
            items = [flat(forward.reference(output)) for output in plan.outputs]
            forward.write("return ", parse(f"{self._output_class()}({', '.join(items)})"), comment)
        return [*self.heads.values(), *forward.lines]

    def _output_class(self) -> str:
        return "" if self.unit.is_body else f"{self.unit.class_name}Output"

    def _comment(self, laid: Laid, span: Span) -> str:
        place = span.source.path.replace("\\", "/").rpartition("/")[2]
        return escaped(f"{axes_comment(laid.axes)}  {place}:{span.line}")

    def _called(self, item: Called) -> None:
        operands = [flat(self.forward.reference(operand)) for operand in item.operands]
        call = f"self.{attribute(item.node.module)}({', '.join(operands)})"
        self._results(call, item.results, item.node, self._comment(item.results[0], item.node.span))

    def _results(self, call: str, results: tuple[Laid, ...], node: Call | Repeat, comment: str) -> None:
        names = [self.names.fresh(value.name) for value in node.results]
        for value, name in zip(node.results, names, strict=True):
            self.inputs[value.name] = name
        self.forward.write(f"{', '.join(names)} = ", parse(call), comment)

    def _looped(self, item: Looped) -> None:
        node, forward = item.node, self.forward
        carried = [self.names.fresh(value.name) for value in node.results]
        starts = [flat(forward.reference(tensor)) for tensor in item.initial]
        for name, start in zip(carried, starts, strict=True):
            forward.write(f"{name} = ", parse(start), "")
        captured = [flat(forward.reference(tensor)) for _, tensor in item.captured]
        step = f"self.{attribute(node.module)}"
        if node.shared:
            count = node.count.python(self._size)
            head, function = f"for _ in range({count}):", step
        else:
            function = self.names.fresh("layer")
            head = f"for {function} in {step}:"
        forward.lines.append(" " * INDENT + head)
        if node.direct is not None:
            inside = dict(zip((value.name for value in node.body.inputs), carried, strict=True))
            operands = [inside[name] for name in node.direct.operands]
            results = {value.name: place for place, value in enumerate(node.direct.results)}
            outputs = node.body.outputs
        else:
            operands, results, outputs = [*carried, *captured], {}, ()
        call = f"{function}({', '.join(operands)})"
        margin = INDENT + 4
        if node.direct is None or [results.get(name) for name in outputs] == list(range(len(results))):
            lines = statement(f"{', '.join(carried)} = ", parse(call), margin)
        else:
            fresh = [self.names.fresh(value.name) for value in node.direct.results]
            inside |= dict(zip(results, fresh, strict=True))
            lines = statement(f"{', '.join(fresh)} = ", parse(call), margin)
            sources = ", ".join(inside[name] for name in outputs)
            lines += [" " * margin + f"{', '.join(carried)} = {sources}"]
        comment = f"  # {self._comment(item.results[0], node.span)}"
        if len(lines[-1]) + len(comment) <= WIDTH:
            lines[-1] += comment
        forward.lines += lines
        for value, name in zip(node.results, carried, strict=True):
            self.inputs[value.name] = name

    def _checked(self, item: Checked) -> None:
        place = escaped(str(item.node.span).replace("\\", "/").rpartition("/")[2])
        message = quoted(f"assumption at {place} does not hold")
        if isinstance(item.condition, Condition):
            left, right = (side.python(self._size) for side in (item.condition.left, item.condition.right))
            condition = f"{left} {item.condition.operator} {right}"
            self.forward.write("", parse(f"torch._check({condition}, lambda: {message})"), "")
            return
        tested = flat(self.forward.reference(item.condition))
        whole = tested if not item.condition.shape else f"({tested}).all()"
        self.forward.write("", parse(f"torch._assert_async({whole}, {message})"), "")

    def _stored(self, symbol: str) -> str:
        if symbol not in self.stored:
            self.stored[symbol] = self.attributes.fresh(attribute(symbol))
        return f"self.{self.stored[symbol]}"

    def _stored_lines(self) -> list[str]:
        known = [symbol for symbol in self.unit.needed if symbol in self.stored]
        return [f"        self.{self.stored[symbol]} = {attribute(symbol)}" for symbol in known]

    def _size(self, symbol: str) -> str:
        """A size symbol in the forward: kept from the constructor, or read from the shape of an input."""
        if symbol in self.unit.needed:
            return self._stored(symbol)
        if symbol not in self.heads:
            source = self._shape_with(symbol)
            name = self.names.fresh(symbol)
            self.heads[symbol] = f"        {name} = {source}"
        return self.heads[symbol].split("=")[0].strip()

    def _shape_with(self, symbol: str) -> str:
        for value in self.unit.inputs:
            for dim, axis in enumerate(value.type.axes):
                if axis.size == Size.symbol(symbol):
                    return f"{self.inputs[value.name]}.shape[{dim - len(value.type.axes)}]"
        raise LookupError(f"no input of {self.unit.block.name} tells the size {symbol}")

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
        return lines

    def _device(self) -> str:
        return f"{self._tensor(('real', 'complex', 'int', 'bool'))}.device"

    def _dtype(self) -> str:
        found = self._tensor(("real",), optional=True)
        return f"{found}.dtype" if found else "torch.get_default_dtype()"

    def _tensor(self, kinds: tuple[str, ...], *, optional: bool = False) -> str:
        """The first input, else parameter, of one of the kinds."""
        for value in (*self.unit.inputs, *(node.result for node in self.unit.parameters)):
            if base_kind(value.type.kind.word) in kinds:
                return self.inputs[value.name]
        if optional:
            return ""
        raise LookupError(f"{self.unit.block.name} has no tensor to say its device")

    def _signature(self) -> list[str]:
        inputs = self.unit.inputs
        items = ["self", *(f"{self.inputs[value.name]}: Tensor" for value in inputs)]
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
        return f"tuple[{', '.join(['Tensor'] * count)}]" if self.unit.is_body else self._output_class()


def _roots(plan: Schedule) -> list[Tensor]:
    """Everything that statements and outputs read."""
    found: list[Tensor] = []
    for item in plan.statements:
        match item:
            case Called(_, operands, _):
                found += operands
            case Looped(_, initial, captured, _):
                found += [*initial, *(tensor for _, tensor in captured)]
            case Checked(_, condition) if isinstance(condition, Tensor):
                found.append(condition)
    return [*found, *plan.outputs]
