"""The schedule of a region: its nodes in order, as tensors and the statements that must run in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archc.formula.tree import Read, walk
from archc.ir.node import Assume, Call, Compute, Node, Operate, Parameter, Region, Repeat, Value
from archc.readings.schedule.formula import Evaluation
from archc.readings.schedule.lowering import lowered
from archc.readings.schedule.preference import preferences
from archc.readings.schedule.scope import Scope
from archc.readings.schedule.tensor import Invoke, Laid, Tensor
from archc.readings.schedule.trace import Trace, base_kind
from archc.types.size import Condition, Facts, Size
from archc.types.tensor_type import TensorType


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
    """A loop: the tensors it starts with and those it reads from outside."""

    node: Repeat
    initial: tuple[Tensor, ...]
    captured: tuple[tuple[Value, Tensor], ...]
    results: tuple[Laid, ...]


@dataclass(frozen=True)
class Checked:
    """A condition that is checked when the module runs."""

    node: Assume
    condition: Tensor | Condition


Statement = Bound | Called | Looped | Checked


@dataclass
class Schedule:
    """Statements in order, and the outputs laid out as their types say."""

    trace: Trace
    statements: list[Statement] = field(default_factory=list)
    outputs: tuple[Tensor, ...] = ()
    inputs: dict[str, Tensor] = field(default_factory=dict)


def schedule(
    region: Region,
    facts: Facts,
    typical: Mapping[str, int],
    captured: Mapping[str, TensorType] | None = None,
) -> Schedule:
    """The schedule of a region. `captured` are the types of values of the enclosing region that it reads."""
    trace = Trace()
    scope = Scope(trace, facts, typical=typical, uses=uses(region))
    planned = Schedule(trace)
    for value in (*region.inputs, *(Value(name, type) for name, type in (captured or {}).items())):
        _define(scope, value, _given(trace, value))
        planned.inputs[value.name] = scope.values[value.name].tensor
    _run(region, scope, planned)
    planned.outputs = tuple(_at_boundary(scope, name) for name in region.outputs)
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
    return _at_boundary(scope, node.result.name)


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


def _at_boundary(scope: Scope, name: str) -> Tensor:
    """A value laid out as its type says, all its axes there."""
    type = scope.types[name]
    whole = scope.trace.expanded(scope.values[name], type.names, type.sizes)
    kind = base_kind(type.kind.word)
    return scope.trace.cast(whole, kind).tensor


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
                planned.statements.append(_called(node, scope))
            case Repeat():
                initial = tuple(_at_boundary(scope, name) for name in node.initial)
                captured = tuple((Value(name, scope.types[name]), _at_boundary(scope, name)) for name in node.captures)
                planned.statements.append(Looped(node, initial, captured, _results(node, scope)))
            case Assume():
                planned.statements.append(Checked(node, _condition(node, scope)))


def _called(node: Call, scope: Scope) -> Called:
    operands = [_at_boundary(scope, name) for name in node.operands]
    first = node.results[0].type
    shape, kind = [axis.size for axis in first.axes], base_kind(first.kind.word)
    step = Invoke(node.module, len(scope.trace.tensors))
    invoked = scope.trace.make(step, operands, shape, kind, first.names, learned=False)
    if len(node.results) > 1:
        return Called(node, invoked.tensor, _results(node, scope))
    _define(scope, node.result, invoked)
    return Called(node, invoked.tensor, (invoked,))


def _bind(node: Node, value: Value, laid: Laid, scope: Scope, planned: Schedule) -> None:
    _define(scope, value, laid)
    planned.statements.append(Bound(value, laid, node))


def _results(node: Node, scope: Scope) -> tuple[Laid, ...]:
    found = tuple(_given(scope.trace, value) for value in node.results)
    for value, laid in zip(node.results, found, strict=True):
        _define(scope, value, laid)
    return found


def _computed(node: Compute, scope: Scope, prefer: tuple[str, ...]) -> Laid:
    type = node.result.type
    sizes: dict[str, Size] = dict(type.sizes)
    kind = base_kind(type.kind.word)
    evaluation = Evaluation(scope, sizes, prefer)
    return evaluation.value(node.formula, real=kind in ("real", "complex"))


def _operated(node: Operate, scope: Scope) -> list[Laid]:
    operands = [scope.values[name] for name in node.operands]
    types = [scope.types[name] for name in node.operands]
    found = lowered(scope.trace, node, operands, types)
    if found is not None:
        return found
    inner = Scope(scope.trace, scope.facts, typical=scope.typical, uses=uses(node.meaning))
    for value, part, type in zip(node.meaning.inputs, operands, types, strict=True):
        _define(inner, value, _renamed(part, type, value.type))
    _run(node.meaning, inner, Schedule(scope.trace))
    results = zip(node.meaning.outputs, node.results, strict=True)
    return [_renamed(inner.values[name], inner.types[name], value.type) for name, value in results]


def _renamed(part: Laid, old: TensorType, new: TensorType) -> Laid:
    """A tensor under the axis names of the place it is handed to, axis by axis in the order of the types."""
    names = dict(zip(old.names, new.names, strict=True))
    return Laid(part.tensor, tuple(names[axis] for axis in part.axes))


def _condition(node: Assume, scope: Scope) -> Tensor | Condition:
    if isinstance(node.condition, Condition):
        return node.condition
    sizes = {axis.name: axis.size for name in node.arguments for axis in scope.types[name].axes}
    return Evaluation(scope, sizes).value(node.condition).tensor
