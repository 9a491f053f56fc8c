"""Solved sizes put in place throughout a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from archc.formula.tree import Apply, Formula, Reduce, SizeValue
from archc.ir.node import Assume, Call, Compute, Initial, Node, Operate, Parameter, Region, Repeat, Value
from archc.types.size import Size
from archc.types.tensor_type import Axis, Kind, TensorType

Resolve = Callable[[Size], Size]


def settled(region: Region, resolve: Resolve) -> Region:
    """The region with every size resolved."""
    return Region(
        tuple(_value(one, resolve) for one in region.inputs),
        tuple(_node(one, resolve) for one in region.nodes),
        region.outputs,
    )


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
        return SizeValue(resolve(formula.size))
    if isinstance(formula, Reduce):
        formula = replace(formula, axes=tuple(_axis(one, resolve) for one in formula.axes))
    elif isinstance(formula, Apply) and not formula.operands:
        return formula
    return formula.rebuild(lambda child: _formula(child, resolve))


def _axis(axis: Axis, resolve: Resolve) -> Axis:
    return Axis(axis.name, resolve(axis.size), axis.twin)


def _value(value: Value, resolve: Resolve) -> Value:
    kind = value.type.kind
    if kind.size is not None:
        kind = Kind(kind.word, kind.axis, resolve(kind.size))
    return Value(value.name, TensorType(kind, tuple(_axis(one, resolve) for one in value.type.axes)))
