"""The schedule of a region: its nodes in order, as tensors and the statements that must run in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archc.formula.tree import Read, walk
from archc.ir.node import Assume, Call, Compute, Loop, Node, Operate, Parameter, Region, Scan, Stage, Update, Value
from archc.readings.schedule.formula import Evaluation
from archc.readings.schedule.lowering import lowered
from archc.readings.schedule.preference import preferences
from archc.readings.schedule.recurrence import joined
from archc.readings.schedule.scope import Scope
from archc.readings.schedule.tensor import Invoke, Laid, Tensor
from archc.readings.schedule.trace import Trace, base_kind
from archc.types.size import Condition, Facts, Size
from archc.types.tensor_type import Axis, TensorType


@dataclass(frozen=True)
class Bound:
    """A value of the spec and its tensor."""

    value: Value
    laid: Laid
    node: Node


@dataclass(frozen=True)
class Called:
    """An instance applied to tensors in the order of their types. `results` are the tensors it yields: `invoked` itself
    where it is one."""

    node: Call
    invoked: Tensor
    results: tuple[Laid, ...]


@dataclass(frozen=True)
class Looped:
    """A loop: the tensors it starts with, those that its passes read entry by entry, with the axis of the loop first,
    and those it reads from outside. What its passes emit is stacked along a first axis."""

    node: Loop
    initial: tuple[Tensor, ...]
    entries: tuple[Tensor, ...]
    captured: tuple[tuple[Value, Tensor], ...]
    results: tuple[Laid, ...]


@dataclass(frozen=True)
class Checked:
    """A condition that is checked when the module runs."""

    node: Assume
    condition: Tensor | Condition


@dataclass(frozen=True)
class Stored:
    """What a state holds after the run, laid out as the state is."""

    node: Update
    value: Tensor


Statement = Bound | Called | Looped | Checked | Stored


class Signature(NamedTuple):
    """The types of a block's inputs and outputs: values are handed over axis by axis by name, in the block's order."""

    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]


@dataclass
class Schedule:
    """Statements in order, and the outputs laid out as their types say."""

    trace: Trace
    statements: list[Statement] = field(default_factory=list)
    outputs: tuple[Tensor, ...] = ()
    inputs: dict[str, Tensor] = field(default_factory=dict)
    signatures: Mapping[str, Signature] = field(default_factory=dict)


def schedule(
    region: Region,
    facts: Facts,
    typical: Mapping[str, int],
    captured: Mapping[str, TensorType] | None = None,
    signatures: Mapping[str, Signature] | None = None,
    outputs: Sequence[TensorType] | None = None,
) -> Schedule:
    """The schedule of a region. `captured` are the types of values of the enclosing region that it reads, `signatures`
    those of the blocks it calls, `outputs` the types its outputs are handed over as, where not their own."""
    trace = Trace()
    scope = Scope(trace, facts, typical=typical, uses=uses(region))
    planned = Schedule(trace, signatures=signatures or {})
    for value in (*region.inputs, *(Value(name, type) for name, type in (captured or {}).items())):
        _define(scope, value, _given(trace, value))
        planned.inputs[value.name] = scope.values[value.name].tensor
    _run(region, scope, planned)
    wanted = outputs or [scope.types[name] for name in region.outputs]
    planned.outputs = tuple(_handed(scope, name, type) for name, type in zip(region.outputs, wanted, strict=True))
    return planned


def schedule_constant(node: Parameter, types: Mapping[str, TensorType], facts: Facts) -> Tensor:
    """The tensor of a constant given by a formula, laid out as its type says. `types` are those of other constants."""
    assert node.formula is not None
    scope = Scope(Trace(), facts)
    for name in node.formula.reads:
        _define(scope, Value(name, types[name]), _given(scope.trace, Value(name, types[name]), learned=True))
    type = node.result.type
    real = base_kind(type.kind.word) in ("real", "complex")
    found = Evaluation(scope, dict(type.sizes), type.names).value(node.formula, real=real)
    _define(scope, node.result, found)
    return _handed(scope, node.result.name, type)


def uses(region: Region) -> dict[str, int]:
    """How many readings of each value there are."""
    found: dict[str, int] = {}
    for node in region.nodes:
        # a formula may read a value at several places
        formulas = walk(node.formula) if isinstance(node, Compute) else ()
        names = [part.value for part in formulas if isinstance(part, Read)] or node.arguments
        for name in names:
            found[name] = found.get(name, 0) + 1
    for name in region.outputs:
        found[name] = found.get(name, 0) + 1
    return found


def _given(trace: Trace, value: Value, *, learned: bool = False) -> Laid:
    type = value.type
    shape = [axis.size for axis in type.axes]
    return trace.input(value.name, shape, base_kind(type.kind.word), type.names, learned=learned)


def _define(scope: Scope, value: Value, laid: Laid) -> None:
    scope.values[value.name] = laid
    scope.types[value.name] = value.type


def _handed(scope: Scope, name: str, to: TensorType) -> Tensor:
    """A value laid out as the type of the place it is handed to says, all its axes there."""
    whole = scope.trace.expanded(scope.values[name], to.names, scope.types[name].sizes)
    return scope.trace.cast(whole, base_kind(to.kind.word)).tensor


def _run(region: Region, scope: Scope, planned: Schedule) -> None:
    preferred = preferences(region)
    for node in region.nodes:
        match node:
            case Parameter():
                _define(scope, node.result, _given(scope.trace, node.result, learned=True))
            case Compute():
                _bind(node, node.result, _computed(node, scope, preferred.get(node.result.name, ())), scope, planned)
            case Operate():
                for value, laid in zip(node.results, _operated(node, scope), strict=True):
                    _bind(node, value, laid, scope, planned)
            case Call():
                planned.statements.append(_called(node, scope, planned.signatures.get(node.block)))
            case Scan() if node.is_joined:
                for value, laid in zip(node.results, joined(node, scope), strict=True):
                    _bind(node, value, laid, scope, planned)
            case Loop():
                planned.statements.append(_looped(node, scope))
            case Assume():
                planned.statements.append(Checked(node, _condition(node, scope)))
            case Update():
                planned.statements.append(Stored(node, _handed(scope, node.value, scope.types[node.state])))


def _called(node: Call, scope: Scope, signature: Signature | None) -> Called:
    inputs = signature.inputs if signature else [scope.types[name] for name in node.operands]
    outputs = signature.outputs if signature else [value.type for value in node.results]
    operands = [_handed(scope, name, type) for name, type in zip(node.operands, inputs, strict=True)]
    step = Invoke(node.module, len(scope.trace.tensors))
    first, names = node.results[0].type, outputs[0].names
    shape = [first.sizes[axis] for axis in names]
    invoked = scope.trace.make(step, operands, shape, base_kind(first.kind.word), names, learned=False)
    if len(node.results) > 1:
        return Called(node, invoked.tensor, _results(node, scope, outputs))
    _define(scope, node.result, invoked)
    return Called(node, invoked.tensor, (invoked,))


def _looped(node: Loop, scope: Scope) -> Looped:
    if isinstance(node, Stage):
        return _staged(node, scope)
    carries = [value.type for value in node.carries]
    initial = tuple(_handed(scope, name, type) for name, type in zip(node.initial, carries, strict=True))
    captured = [Value(name, scope.types[name]) for name in node.captures]
    read = tuple((value, _handed(scope, value.name, value.type)) for value in captured)
    if not isinstance(node, Scan):
        return Looped(node, initial, (), read, _results(node, scope, carries))
    inputs = zip(node.slices, node.body.inputs[len(carries) :], strict=True)
    entries = tuple(_handed(scope, name, _along(node.axis, at.type)) for name, at in inputs)
    types = {value.name: value.type for value in captured} | node.body.values
    order = [*carries, *(_along(node.axis, types[name]) for name in node.body.outputs[len(carries) :])]
    return Looped(node, initial, entries, read, _results(node, scope, order))


def _staged(node: Stage, scope: Scope) -> Looped:
    given = zip(node.initial, node.body.inputs, strict=True)
    initial = tuple(_handed(scope, name, value.type) for name, value in given)
    captured = [Value(name, scope.types[name]) for name in node.captures]
    read = tuple((value, _handed(scope, value.name, value.type)) for value in captured)
    types = {value.name: value.type for value in captured} | node.body.values
    return Looped(node, initial, (), read, _results(node, scope, [types[name] for name in node.body.outputs]))


def _along(axis: Axis, type: TensorType) -> TensorType:
    """The type of what has entries of a type along an axis, which comes first."""
    return TensorType(type.kind, (axis, *type.axes))


def _bind(node: Node, value: Value, laid: Laid, scope: Scope, planned: Schedule) -> None:
    _define(scope, value, laid)
    planned.statements.append(Bound(value, laid, node))


def _results(node: Node, scope: Scope, order: Sequence[TensorType]) -> tuple[Laid, ...]:
    found: list[Laid] = []
    for value, type in zip(node.results, order, strict=True):
        shape = [value.type.sizes[axis] for axis in type.names]
        found.append(scope.trace.input(value.name, shape, base_kind(value.type.kind.word), type.names))
        _define(scope, value, found[-1])
    return tuple(found)


def _computed(node: Compute, scope: Scope, prefer: tuple[str, ...]) -> Laid:
    type = node.result.type
    sizes: dict[str, Size] = dict(type.sizes)
    kind = base_kind(type.kind.word)
    evaluation = Evaluation(scope, sizes, prefer)
    return evaluation.value(node.formula, real=kind in ("real", "complex"))


def _operated(node: Operate, scope: Scope) -> list[Laid]:
    # whole numbers are real ones where the formula takes them as such, whatever torch would make of them
    kinds = [port.type.kind for port in node.meaning.inputs]
    types = [TensorType(kind, scope.types[name].axes) for kind, name in zip(kinds, node.operands, strict=True)]
    operands = [
        scope.trace.cast(scope.values[name], base_kind(kind.word))
        for kind, name in zip(kinds, node.operands, strict=True)
    ]
    found = lowered(scope.trace, node, operands, types)
    if found is not None:
        return found
    inner = Scope(scope.trace, scope.facts, typical=scope.typical, uses=uses(node.meaning))
    for value, part in zip(node.meaning.inputs, operands, strict=True):
        _define(inner, value, part)
    _run(node.meaning, inner, Schedule(scope.trace))
    return [inner.values[name] for name in node.meaning.outputs]


def _condition(node: Assume, scope: Scope) -> Tensor | Condition:
    if isinstance(node.condition, Condition):
        return node.condition
    sizes = {axis.name: axis.size for name in node.arguments for axis in scope.types[name].axes}
    return Evaluation(scope, sizes).value(node.condition).tensor
