"""Edges applied: what one edge does to the value that travels along it."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

from archc.base.diagnostic import Fault
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, Operand
from archc.elaborate.binding import Activation, Chain, Edge, Partial, Scaled, Term, Tied, Together
from archc.elaborate.constraint import Demand
from archc.elaborate.evaluate import combine
from archc.elaborate.instance import inline_block
from archc.elaborate.scope import Scope
from archc.formula.tree import Apply, Position, SizeValue
from archc.types.size import Condition, Size
from archc.types.tensor_type import INT, Axis


@singledispatch
def travel(edge: Edge, value: Term, arguments: Arguments, scope: Scope) -> Term:
    """The value at the far end of an edge; `scope.edging` says which unit axes its parameters have."""
    raise TypeError(f"no rule for {type(edge).__name__}")


@travel.register
def _(edge: Activation, value: Term, arguments: Arguments, scope: Scope) -> Term:
    return activate(edge, value, arguments.span, scope)


def activate(edge: Activation, value: Term, span: Span, scope: Scope) -> Term:
    """An elementwise function of a value."""
    return combine(edge.word, edge.word, [(value, span)], scope, span, edge.attributes)


@travel.register
def _(edge: Chain, value: Term, arguments: Arguments, scope: Scope) -> Term:
    for stage in edge.stages:
        value = travel(stage, value, arguments, scope)
    return value


@travel.register
def _(edge: Together, value: Term, arguments: Arguments, scope: Scope) -> Term:
    terms = []
    for sign, one in zip(edge.signs, edge.edges, strict=True):
        found = travel(one, value, arguments, scope)
        terms.append(found if sign == "+" else combine("neg", "-", [(found, arguments.span)], scope, arguments.span))
    return combine("add", "+", [(one, arguments.span) for one in terms], scope, arguments.span)


@travel.register
def _(edge: Scaled, value: Term, arguments: Arguments, scope: Scope) -> Term:
    found = travel(edge.edge, value, arguments, scope)
    return combine("mul", "*", [(edge.factor, arguments.span), (found, arguments.span)], scope, arguments.span)


@travel.register
def _(edge: Partial, value: Term, arguments: Arguments, scope: Scope) -> Term:
    terms = inline_block(edge, [Operand(value, arguments.span)], arguments, scope)
    if len(terms) != 1:
        what, given = f"`{edge.definition.tree.name}`", f"{len(terms)} results"
        help = "an edge is a block with one output"
        raise Fault(faults.WrongResults(arguments.span, what=what, given=given, expected=1, help=help))
    return terms[0]


@travel.register
def _(edge: Tied, value: Term, arguments: Arguments, scope: Scope) -> Term:
    """`tied(E, groups = g)`: one copy of E for each of g equal runs of the incoming units, for every outgoing one."""
    edging = scope.edging
    if edging is None or len(edging.sources) != 1:
        raise Fault(faults.LayerAxes(arguments.span, reason="`tied` needs one incoming unit axis"))
    (unit,) = edging.sources
    condition = Condition("==", unit.size % edge.groups, Size.of(0))
    given = ((unit.name, scope.frame.resolve(unit.size)),)
    asked = f"{unit.name} % {edge.groups} == 0"
    holds = Condition("==", Size.symbol(unit.name) % edge.groups, Size.of(0)).evaluate
    scope.frame.demand(condition, Demand("tied", arguments.span, asked=asked, given=given, holds=holds))
    group = Axis(f"{unit.name}_group", edge.groups)
    each = SizeValue(unit.size // edge.groups)
    place = Term(Apply("floordiv", (Position(unit.name), each)), (unit,), INT)
    inner = replace(scope, edging=replace(edging, axes=(group,), at=(place,)))
    return travel(edge.edge, value, arguments, inner)
