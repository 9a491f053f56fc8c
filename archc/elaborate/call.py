"""Calls and pipes: what a word means when it is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archc.base.diagnostic import Fault
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, Operand, axis_list, bind_hypers, sort
from archc.elaborate.binding import (
    EDGES,
    Activation,
    AxisList,
    Binding,
    BoundAxis,
    Chain,
    Extent,
    Partial,
    Scalar,
    Scaled,
    SharedLayer,
    Term,
    Tied,
    Together,
    describe,
)
from archc.elaborate.body import count_of
from archc.elaborate.callee import unknown_callee
from archc.elaborate.edge import travel
from archc.elaborate.evaluate import as_edge, as_term, as_written, combine, evaluate, values_of
from archc.elaborate.extent import counted, listed, number_of, size_of
from archc.elaborate.frame import Poisoned
from archc.elaborate.gradient import gradient
from archc.elaborate.instance import call_block
from archc.elaborate.layer import build_layer
from archc.elaborate.operate import operate
from archc.elaborate.reduction import is_read_along, reduce_over
from archc.elaborate.scope import Scope
from archc.elaborate.tuples import ports_of
from archc.elaborate.words import GRAD, LAYER, SIZE, TIED, VALUE_AND_GRAD
from archc.formula.tree import SizeValue
from archc.ops.operation import Pointwise
from archc.ops.registries import OPERATIONS, POINTWISE, REDUCTIONS
from archc.syntax import tree
from archc.types.tensor_type import INT

_FEWEST = 2
"""How many operands a function takes at least that takes any number of them, such as `add`."""
PAIRWISE = {"max": "maximum", "min": "minimum"}


@evaluate.register
def _(expr: tree.Call, scope: Scope, hint: str | None = None) -> Binding:
    return apply(expr, (), scope, hint)


@evaluate.register
def _(expr: tree.Pipe, scope: Scope, hint: str | None = None) -> Binding:
    outer = _closed(scope)
    value = evaluate(expr.stages[0], outer)
    span = expr.stages[0].span
    for number, stage in enumerate(expr.stages[1:], start=1):
        operand = Operand(as_term(value, span), span)
        if isinstance(stage, tree.Name):
            stage = tree.Call(span=stage.span, function=stage, arguments=())
        assert isinstance(stage, tree.Call)
        value = apply(stage, (operand,), outer, hint if number == len(expr.stages) - 1 else None)
        span = span.to(stage.span)
    return value


def apply(call: tree.Call, piped: Sequence[Operand], scope: Scope, hint: str | None) -> Binding:
    """Apply what a call names: what is in scope first, then the file's blocks, then what is built in."""
    word = call.function.text
    if word == SIZE:
        return Term(SizeValue(size_of(call, scope)), (), INT)
    if word == TIED:
        return _tied(call, scope)
    if word in (GRAD, VALUE_AND_GRAD):
        return _gradient(call, piped, scope)
    arguments = sort(call, piped, scope if _is_pointwise(call, scope) else _closed(scope))
    found = scope.find(word)
    if isinstance(found, (*EDGES, SharedLayer)):
        return _apply_bound(found, arguments, scope, hint)
    definition = scope.file.find(call.function.parts)
    if definition is not None:
        return _apply_bound(Partial(definition), arguments, scope, hint)
    if word == LAYER:
        return build_layer(arguments, scope, hint)
    if word in REDUCTIONS and not (word in PAIRWISE and "over" not in arguments.named and len(arguments.operands) > 1):
        return _reduce(word, arguments, scope)
    function = POINTWISE.get(PAIRWISE.get(word, word))
    if function is not None:
        return _pointwise(function, arguments, scope)
    operation = OPERATIONS.get(word)
    if operation is not None:
        return operate(operation, arguments, scope, hint)
    if found is not None and not isinstance(found, BoundAxis):
        return _apply_bound(found, arguments, scope, hint)
    raise Fault(unknown_callee(call.function, scope))


def _is_pointwise(call: tree.Call, scope: Scope) -> bool:
    """Whether the call is part of the formula around it: its operands may be as wide as that may be."""
    word = call.function.text
    is_bound = isinstance(scope.find(word), (*EDGES, SharedLayer))
    is_other = is_bound or scope.file.find(call.function.parts) is not None
    return not is_other and PAIRWISE.get(word, word) in POINTWISE


def _closed(scope: Scope) -> Scope:
    """The scope for what becomes a value of its own: no wider than it is by itself."""
    inner = scope.child()
    inner.in_reduction, inner.declared, inner.is_free = False, None, False
    return inner


def _apply_bound(found: Binding, arguments: Arguments, scope: Scope, hint: str | None) -> Binding:
    match found:
        case Partial(definition=definition, hypers=before):
            if definition.is_faulty:
                raise Poisoned
            given = {**dict(before), **bind_hypers(definition, arguments, scope)}
            partial = Partial(definition, tuple(given.items()), found.sharing)
            head, *others = stages = _in_turn(partial)
            called = _operands(head, arguments, scope)
            if called is None:
                return Chain(stages) if others else partial
            result = call_block(*called, arguments, scope, hint)
            for stage in others:
                value = Operand(as_term(result, arguments.span), arguments.span)
                result = call_block(stage, [value], arguments, scope, hint)
            return result
        case SharedLayer(call=call, scope=outer, sharing=sharing):
            first = sort(call, arguments.operands, outer)
            first.span = arguments.span
            return build_layer(first, scope, hint, sharing)
        case Activation() | Chain() | Together() | Scaled() | Tied() if len(arguments.operands) == 1:
            return travel(found, arguments.operands[0].term, arguments, scope)
        case _:
            is_number = isinstance(found, Extent | Scalar | Term) and not getattr(found, "axes", ())
            help = f"a product is written `{arguments.callee} * x`" if is_number else ""
            help = (
                help if is_number or not isinstance(found, Term) else f"an entry is read as `{arguments.callee}[n: 0]`"
            )
            place = arguments.span.word(arguments.callee)
            raise Fault(faults.NotCallable(place, name=arguments.callee, what=describe(found), help=help))


def _in_turn(partial: Partial) -> tuple[Partial, ...]:
    """A block that works along one axis, once for each axis that it is given."""
    given = dict(partial.hypers)
    for hyper in partial.definition.tree.hypers:
        if isinstance(hyper, tree.Hyper) and hyper.kind == "axis":
            bound = given.get(hyper.name)
            if isinstance(bound, AxisList) and len(bound.axes) > 1:
                each = ({**given, hyper.name: AxisList((axis,))} for axis in bound.axes)
                return tuple(replace(partial, hypers=tuple(one.items())) for one in each)
    return (partial,)


def _operands(partial: Partial, arguments: Arguments, scope: Scope) -> tuple[Partial, list[Operand]] | None:
    """Operands in the order of the ports, by position and by name, with the block less the ports that are left to
    their defaults; None where there are no operands, so that the block itself is meant."""
    definition = partial.definition
    ports = definition.tree.inputs
    hypers = [hyper.name for hyper in definition.tree.hypers if isinstance(hyper, tree.Hyper)]
    named: dict[str, Operand] = {}
    for name, shape in definition.flat.inputs.items():
        if name in arguments.named and name not in hypers:
            argument = arguments.named[name]
            parts = values_of(evaluate(argument.value, scope), argument.span)
            names = list(ports_of(shape))
            if len(parts) != len(names):
                what, held = f"`{name}`", count_of(len(parts))
                raise Fault(faults.WrongResults(argument.span, what=what, given=held, expected=len(names)))
            named.update((port, Operand(one, argument.span)) for port, one in zip(names, parts, strict=True))
    if not arguments.operands and not named and ports:
        return None
    queue = list(arguments.operands)
    found: list[Operand] = []
    left_out: list[str] = []
    for port in ports:
        if port.name in named:
            found.append(named[port.name])
        elif queue:
            found.append(queue.pop(0))
        elif port.default is not None:
            left_out.append(port.name)
    if queue or len(found) + len(left_out) != len(ports):
        given = len(arguments.operands) + len(named)
        expected = counted(len(ports), "operand")
        label = f"operands: {listed(port.name for port in ports)}" if ports else ""
        help = f"give it {listed(port.name for port in ports[len(found) + len(left_out) :])} too"
        if given > len(ports):
            by_name = f"; hyper-parameters go by name, as in `{hypers[0]} = ...`" if hypers else ""
            help = f"give it {listed(port.name for port in ports) if ports else 'no operand'} only{by_name}"
        raise Fault(
            faults.WrongArity(
                arguments.span, callee=arguments.callee, expected=expected, given=given, label=label, help=help
            )
        )
    return replace(partial, definition=scope.frame.session.without(definition, frozenset(left_out))), found


def _gradient(call: tree.Call, piped: Sequence[Operand], scope: Scope) -> Binding:
    """`grad(energy, q, p, by = q)`: the block first, then its operands."""
    block = next((argument for argument in call.arguments if argument.name is None), None)
    found = None if block is None else evaluate(block.value, scope)
    word, example = call.function.text, f"write `{call.function.text}(energy, x)`, the block first"
    if block is None or not isinstance(found, Partial):
        place, given = (call, "nothing") if block is None or found is None else (block, describe(found))
        raise Fault(
            faults.WrongArgument(place.span, name="block", callee=word, expected=f"a block, not {given}", help=example)
        )
    rest = replace(call, arguments=tuple(argument for argument in call.arguments if argument is not block))
    arguments = sort(rest, piped, _closed(scope))
    arguments.unknown(("by", "along", *(port.name for port in found.definition.tree.inputs)))
    called = _operands(found, arguments, scope)
    if called is None:
        raise Fault(faults.WrongArity(call.span, callee=word, expected="operands for the block", given=0, help=example))
    return gradient(*called, arguments, scope)


def _reduce(word: str, arguments: Arguments, scope: Scope) -> Term:
    """`mean(x, over = n)`: a reduction as a call."""
    arguments.unknown(("over",))
    if len(arguments.operands) != 1:
        raise Fault(
            faults.WrongArity(
                arguments.span,
                callee=word,
                expected="1 operand",
                given=len(arguments.operands),
                help=f"write `{as_written(word)}`",
            )
        )
    if "over" not in arguments.named:
        raise Fault(faults.MissingArgument(arguments.span, callee=word, name="over", help=f"write `{word}(over = d)`"))
    over = axis_list(arguments.named["over"].value, arguments, scope, "over")
    (operand,) = arguments.operands
    body = operand.term
    if not all(is_read_along(body.formula, axis.name) for axis in over.axes):
        # nothing in the formula itself would say how long the axis is
        body = scope.frame.read(scope.frame.materialise(body, None, operand.span))
    span = arguments.named["over"].value.span
    return reduce_over(word, [(axis, span) for axis in over.axes], body, None, scope, arguments.span)


def _pointwise(function: type[Pointwise], arguments: Arguments, scope: Scope) -> Binding:
    attributes = list(function.model_fields)
    arguments.unknown(attributes)
    given = tuple(
        (name, number_of(arguments.named[name].value, scope, name, arguments.callee))
        for name in attributes
        if name in arguments.named
    )
    if not arguments.operands and function.arity == 1:
        return Activation(function.word, given)
    count = len(arguments.operands)
    if count != function.arity and (function.arity is not None or count < _FEWEST):
        expected = f"at least {_FEWEST} operands" if function.arity is None else counted(function.arity, "operand")
        help = f"write `{as_written(arguments.callee)}`"
        raise Fault(
            faults.WrongArity(arguments.span, callee=arguments.callee, expected=expected, given=count, help=help)
        )
    operands = [(one.term, one.span) for one in arguments.operands]
    return combine(function.word, arguments.callee, operands, scope, arguments.span, given)


def _tied(call: tree.Call, scope: Scope) -> Tied:
    """`tied(E, groups = 8)`."""
    edges = [argument.value for argument in call.arguments if argument.name is None]
    groups = [argument.value for argument in call.arguments if argument.name == "groups"]
    if len(edges) != 1 or len(groups) != 1 or len(call.arguments) != 2:
        raise Fault(faults.MissingArgument(call.span, callee="tied", name="groups", help="write `tied(E, groups = 8)`"))
    return Tied(as_edge(evaluate(edges[0], scope), edges[0].span, "E", "tied"), size_of(groups[0], scope))
