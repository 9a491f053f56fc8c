"""What an operation's own lowering sees of the schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archc.ir.node import Operate
from archc.ops.operation import Lowered, Operand, Routine
from archc.readings.schedule.tensor import Laid, Written
from archc.readings.schedule.trace import Trace, base_kind
from archc.types.size import Size
from archc.types.tensor_type import TensorType

_SIZE = "size_{}_"


def size_placeholder(symbol: str) -> str:
    """The name that stands for a size symbol in written text."""
    return _SIZE.format(symbol)


@dataclass
class Text:
    """The `Lowering` of one operation: operands are placeholders, intermediates become tensors of the trace."""

    trace: Trace
    operands: Sequence[Operand]
    results: Sequence[TensorType]

    def dim(self, operand: Operand, axis: str) -> int:
        """Position of an axis counted from the end."""
        return operand.axes.index(axis) - len(operand.axes)

    def size(self, size: Size) -> str:
        """A Python int expression for a size."""
        return size.python(size_placeholder)

    def arrange(self, operand: Operand, axes: Sequence[str]) -> Operand:
        """The operand with its axes in the given order, constant along those that it lacks."""
        sizes = {**self.results[0].sizes, **operand.type.sizes}
        laid = self.trace.expanded(self.laid(operand), axes, sizes)
        return Operand(laid.tensor.placeholder, laid.axes, operand.type)

    def last(self, operand: Operand, axes: Sequence[str]) -> Operand:
        """The operand with the given axes moved to the end, in the given order."""
        return self.arrange(operand, [*(axis for axis in operand.axes if axis not in axes), *axes])

    def name(self, hint: str, text: str, axes: Sequence[str], type: TensorType) -> Operand:
        """An intermediate expression under a local name."""
        laid = self.written(text, axes, type, hint)
        return Operand(laid.tensor.placeholder, laid.axes, type)

    def align(self, operand: Operand, axes: Sequence[str]) -> str:
        """The operand as it broadcasts against a tensor over `axes`."""
        return self.trace.aligned(self.laid(operand), axes).placeholder

    def spread(self, operand: Operand, axes: Sequence[str]) -> Operand:
        """The operand over all of `axes`, constant along those it does not have."""
        laid = self.trace.expanded(self.laid(operand), axes, self.results[0].sizes)
        return Operand(laid.tensor.placeholder, laid.axes, operand.type)

    def routine(self, routine: Routine) -> str:
        """The name of a routine, which the module then defines."""
        return self.trace.routine(routine)

    def laid(self, operand: Operand) -> Laid:
        """The tensor that an operand stands for."""
        return Laid(self.trace.by_placeholder[operand.text], operand.axes)

    def written(self, text: str, axes: Sequence[str], type: TensorType, hint: str = "") -> Laid:
        """Text over placeholders as a tensor."""
        known = self.trace.by_placeholder
        if text in known:
            return Laid(known[text], tuple(axes))
        names = dict.fromkeys(part for part in _words(text) if part in known)
        shape = [type.sizes[axis] for axis in axes]
        step = Written(text, len(self.trace.tensors), hint)
        return self.trace.make(step, [known[name] for name in names], shape, base_kind(type.kind.word), axes)


def _words(text: str) -> list[str]:
    return "".join(char if char.isalnum() or char == "_" else " " for char in text).split()


def lowered(trace: Trace, node: Operate, operands: Sequence[Laid], types: Sequence[TensorType]) -> list[Laid] | None:
    """The results of an operation by its own lowering, or None where it leaves them to the general schedule."""
    texts: list[Operand] = []
    for part, type in zip(operands, types, strict=True):
        whole = trace.expanded(part, part.axes, type.sizes)
        if set(whole.axes) != set(type.names):
            whole = trace.expanded(whole, type.names, type.sizes)
        if base_kind(type.kind.word) in ("real", "complex"):
            whole = trace.cast(whole, base_kind(type.kind.word))
        texts.append(Operand(whole.tensor.placeholder, whole.axes, type))
    to = Text(trace, texts, [value.type for value in node.results])
    results: Sequence[Lowered] | None = node.operation.lower(to)
    if results is None:
        return None
    return [to.written(one.text, one.axes, value.type) for one, value in zip(results, node.results, strict=True)]
