"""Solved sizes put in place throughout a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from archc.elaborate import faults
from archc.elaborate.frame import Frame
from archc.formula.tree import Apply, Formula, Literal, Reduce, SizeValue, walk
from archc.ir.node import (
    Assume,
    Call,
    Compute,
    Initial,
    Loop,
    Node,
    Operate,
    Parameter,
    Region,
    Repeat,
    Scan,
    Update,
    Value,
)
from archc.ir.rewrite import with_names
from archc.types.size import Size
from archc.types.tensor_type import Axis, Kind, TensorType

Resolve = Callable[[Size], Size]


def settled(region: Region, resolve: Resolve) -> Region:
    """The region with every size resolved, and states changed after everything else."""
    nodes = sorted(region.nodes, key=lambda node: isinstance(node, Update))
    return Region(
        tuple(_value(one, resolve) for one in region.inputs),
        tuple(_node(one, resolve) for one in nodes),
        region.outputs,
    )


def apart(region: Region, frame: Frame) -> Region:
    """The region with no value named as one of its axes. Reports E0304 for an input of a net, which keeps its name."""
    axes, values = _names(region)
    names: dict[str, str] = {}
    for name in values:
        if name not in axes:
            continue
        if frame.definition.tree.role == "net" and name in (value.name for value in region.inputs):
            place = frame.spans[name].word(name)
            frame.report(faults.AxisValueClash(place, name=name, help="give the value another name"))
        else:
            names[name] = (frame.parameter_name if values[name] else frame.allocate)(name)
    return with_names(region, names) if names else region


def _names(region: Region) -> tuple[set[str], dict[str, bool]]:
    """The axes that a region speaks of, and its values with whether they are parameters; what operations mean aside."""
    values = dict.fromkeys((value.name for value in region.inputs), False)
    axes = {name for value in region.inputs for name in value.type.names}
    for node in region.nodes:
        values.update((value.name, isinstance(node, Parameter)) for value in node.results)
        axes.update(name for value in node.results for name in value.type.names)
        if isinstance(node, Compute):
            axes.update(a.name for part in walk(node.formula) if isinstance(part, Reduce) for a in part.axes)
        elif isinstance(node, Loop):
            inner_axes, inner_values = _names(node.body)
            axes |= inner_axes
            values |= inner_values
    return axes, values


def _node(node: Node, resolve: Resolve) -> Node:
    node = replace(node, results=tuple(_value(one, resolve) for one in node.results))
    match node:
        case Compute(formula=formula):
            return replace(node, formula=_formula(formula, resolve))
        case Parameter(initial=initial, formula=formula):
            return replace(
                node,
                initial=None if initial is None else _initial(initial, resolve),
                formula=None if formula is None else _formula(formula, resolve),
            )
        case Operate(meaning=meaning, operation=operation):
            return replace(node, meaning=settled(meaning, resolve), operation=operation.resolved(resolve))
        case Call(sizes=sizes):
            return replace(node, sizes=tuple((name, resolve(size)) for name, size in sizes))
        case Repeat(count=count, body=body):
            return replace(node, count=resolve(count), body=settled(body, resolve))
        case Scan(axis=axis, body=body):
            return replace(node, axis=_axis(axis, resolve), body=settled(body, resolve))
        case Loop(body=body):
            return replace(node, body=settled(body, resolve))
        case Assume(condition=Formula() as condition, axes=axes):
            return replace(
                node, condition=_formula(condition, resolve), axes=tuple(_axis(one, resolve) for one in axes)
            )
        case _:
            return node


def _initial(initial: Initial, resolve: Resolve) -> Initial:
    return replace(initial, fan_in=resolve(initial.fan_in), fan_out=resolve(initial.fan_out))


def _formula(formula: Formula, resolve: Resolve) -> Formula:
    if isinstance(formula, SizeValue):
        size = resolve(formula.size)
        return SizeValue(size) if size.constant is None else Literal(size.constant)
    if isinstance(formula, Reduce):
        formula = replace(formula, axes=tuple(_axis(one, resolve) for one in formula.axes))
    elif isinstance(formula, Apply) and not formula.operands:
        return formula
    settled = formula.rebuild(lambda child: _formula(child, resolve))
    match settled:
        case Apply("neg", (Literal(int() | float() as number),)):  # as the text has it
            return Literal(-number)
    return settled


def _axis(axis: Axis, resolve: Resolve) -> Axis:
    return Axis(axis.name, resolve(axis.size), axis.twin)


def _value(value: Value, resolve: Resolve) -> Value:
    kind = value.type.kind
    if kind.size is not None:
        kind = Kind(kind.word, kind.axis, resolve(kind.size))
    return Value(value.name, TensorType(kind, tuple(_axis(one, resolve) for one in value.type.axes)))
