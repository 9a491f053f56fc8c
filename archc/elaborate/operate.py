"""Named operations: attributes from the call, meaning from their formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError

from archc.base.diagnostic import Fault, Findings, Note
from archc.base.internal import InternalError
from archc.base.span import Source, Span
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, Operand, axis_list, choice, source_axes, target_axes
from archc.elaborate.binding import AxisList, Binding, Definition, Extent, Flag, Scalar, Several, Term, Word
from archc.elaborate.body import conform, run
from archc.elaborate.constraint import Mismatch, is_open
from archc.elaborate.evaluate import as_term, as_written, evaluate
from archc.elaborate.extent import counted, kind_of, listed, number_of, quoted, size_names, size_of
from archc.elaborate.instance import discharge, entered
from archc.elaborate.library import File
from archc.elaborate.ports import Matched, match_ports, port_axes, settle
from archc.elaborate.scope import Scope
from archc.ir.node import Operate, Region, Value
from archc.ops.operation import Fresh, Operation
from archc.syntax import tree
from archc.syntax.faults import FileTooLarge, TooDeep, TooManyTokens
from archc.syntax.parse import parse
from archc.types.size import Size
from archc.types.tensor_type import INT, REAL, Axis, TensorType


def operate(kind: type[Operation], arguments: Arguments, scope: Scope, hint: str | None) -> Binding:
    """Apply a named operation. Raises Fault E0202 to E0205 for its arguments, and what its formula finds."""
    attributes = [name for name in kind.model_fields if name not in ("source", "target")]
    if kind.formula:  # else its operands are known only with its attributes
        arguments.unknown((*attributes, *_ports(_meaning(kind.word, kind.formula))))
    named = {name: argument for name, argument in arguments.named.items() if name not in kind.model_fields}
    operation = _with_attributes(kind, arguments, scope)
    arity = len(arguments.operands) + len(named)
    help = f"write it as in `{as_written(kind.word)}`"
    if arity == 0:
        raise Fault(
            faults.WrongArity(arguments.span, callee=kind.word, expected="at least 1 operand", given=0, help=help)
        )
    try:
        definition = _meaning(kind.word, operation.meaning(arity))
    except Fault as fault:  # an attribute such as a degree makes the formula larger than a text may be
        fault.diagnostic.span, fault.diagnostic.label = arguments.span, f"the formula of `{kind.word}` is"
        fault.diagnostic.help = ""
        raise
    names = _ports(definition)
    arguments.unknown((*attributes, *names))
    if len(names) != arity:
        raise Fault(
            faults.WrongArity(
                arguments.span, callee=kind.word, expected=counted(len(names), "operand"), given=arity, help=help
            )
        )
    queue = iter(arguments.operands)
    by_name = {name: Operand(as_term(evaluate(one.value, scope), one.span), one.span) for name, one in named.items()}
    ordered = [by_name[name] if name in by_name else next(queue) for name in names]
    _refuse_axes_there_are(operation, ordered, arguments)
    return _applied(operation, definition, ordered, arguments, scope, hint)


def applied(operation: Operation, operand: Operand, arguments: Arguments, scope: Scope) -> Term:
    """A named operation of one operand and one result, as the elaborator itself applies it on behalf of a call."""
    return as_term(
        _applied(operation, _meaning(operation.word, operation.meaning(1)), [operand], arguments, scope, None),
        arguments.span,
    )


def _applied(
    operation: Operation,
    definition: Definition,
    ordered: Sequence[Operand],
    arguments: Arguments,
    scope: Scope,
    hint: str | None,
) -> Binding:
    """An operation on its operands, in the order of its ports."""
    frame, names = scope.frame, _ports(definition)
    inner = Scope(frame, definition.file, _bindings(operation.hypers, scope), is_inline=True)
    if operation.merges:
        inner.lifted, inner.edging = scope.lifted, scope.edging
        with entered(frame.session, definition, arguments.span):
            _matched(definition, ordered, arguments, inner)
            for name, one in zip(names, ordered, strict=True):
                inner.names[name] = one.term
            terms = tuple(_results(definition, inner))
        return terms[0] if len(terms) == 1 else Several(terms)
    values = [frame.materialise(one.term, None, one.span) for one in ordered]
    operands = [Operand(frame.read(value), one.span) for value, one in zip(values, ordered, strict=True)]
    ports = definition.tree.outputs
    hints = [hint or operation.word] if len(ports) == 1 else [port.name for port in ports]
    chosen = [frame.allocate(name) for name in hints]  # before the formula's own values take these names
    with entered(frame.session, definition, arguments.span):
        region, outputs = _meant(definition, operands, arguments, inner)
    for axis in _fresh(operation):
        for output in outputs:
            if axis.size is not None and (size := output.type.sizes.get(axis.name)) is not None:
                frame.equate(axis.size, size, Mismatch(axis.name, _place(axis, arguments)))
    results = tuple(Value(name, output.type) for name, output in zip(chosen, outputs, strict=True))
    frame.emit(
        Operate(
            results=results,
            span=arguments.span,
            path=frame.path,
            operation=operation,
            operands=tuple(value.name for value in values),
            meaning=region,
        )
    )
    found = tuple(frame.read(value) for value in results)
    return found[0] if len(found) == 1 else Several(found)


def _ports(definition: Definition) -> list[str]:
    return [port.name for port in definition.tree.inputs]


def _meant(
    definition: Definition, operands: Sequence[Operand], arguments: Arguments, inner: Scope
) -> tuple[Region, list[Value]]:
    """The formula of an operation on its operands, as a region and its outputs."""
    frame, ports = inner.frame, definition.tree.inputs
    matched = _matched(definition, operands, arguments, inner)
    inputs = []
    for port, type, one in zip(ports, matched.types, operands, strict=True):
        sizes = {axis.name: axis for axis in type.axes}  # the operands' own order: nothing is moved on the way in
        inside = TensorType(type.kind, tuple(sizes[name] for name in one.term.names))
        inputs.append(frame.input(frame.allocate(port.name), inside, one.span))
    for port, value in zip(ports, inputs, strict=True):
        inner.names[port.name] = frame.read(value)
    with frame.region(inputs) as region:
        terms = _results(definition, inner)
        outputs = [
            frame.materialise(one, port.name, arguments.span)
            for one, port in zip(terms, definition.tree.outputs, strict=True)
        ]
    return region.close(output.name for output in outputs), outputs


def _results(definition: Definition, inner: Scope) -> list[Term]:
    """The results of a formula. A whole number that is declared a position, or numbers that are declared a
    distribution, are one by the operation's own word; the reference checks it wherever it is computed."""
    found = []
    ports, body = definition.tree.outputs, definition.tree.body
    for port, expr, one in zip(ports, body.results, run(body, inner), strict=True):
        term = as_term(one, expr.span)
        if isinstance(port.type, tree.Type) and (port.type.kind, term.kind) in (("index", INT), ("simplex", REAL)):
            term = replace(term, kind=kind_of(port.type, inner))
        found.append(conform(term, port, expr.span, inner))
    return found


def _matched(definition: Definition, operands: Sequence[Operand], arguments: Arguments, inner: Scope) -> Matched:
    """The operands matched to the ports of a formula: `inner` becomes the scope of its body, its conditions hold."""
    matched = match_ports(definition, operands, inner, lambda _, size: size)
    settle(matched, inner.frame, {})
    own = frozenset(port_axes(definition, inner))
    inner.lifted = (inner.lifted | frozenset(matched.lifted)) - own
    # an axis that an attribute names is called as the user likes, and the formula's own axes are told apart from it
    given = {axis.name for one in inner.names.values() if isinstance(one, AxisList) for axis in one.axes}
    inner.clash = (inner.frame.ports | inner.lifted | given) - (own - given)
    discharge(definition, inner, arguments.callee, arguments.span)
    return matched


def _refuse_axes_there_are(operation: Operation, operands: Sequence[Operand], arguments: Arguments) -> None:
    """An axis that the result gains must not be one that an operand keeps. Raises Fault E0303."""
    gone = {axis.name for axis in getattr(operation, "source", ())}
    for axis in _fresh(operation):
        for operand in operands:
            if axis.name in operand.term.names and axis.name not in gone:
                note = Note(operand.span, "the operand has it already")
                help = "give the new axis a name of its own"
                place = _place(axis, arguments)
                raise Fault(faults.DuplicateAxis(place, axis=axis.name, notes=(note,), help=help))


def _fresh(operation: Operation) -> list[Fresh]:
    """The axes that the results gain."""
    attributes = (value for value in operation.hypers.values() if isinstance(value, tuple))
    return [one for value in attributes for one in value if isinstance(one, Fresh)]


def _place(axis: Fresh, arguments: Arguments) -> Span:
    """Where a call names an axis that its result gains."""
    if arguments.arrow is not None:
        entries = arguments.arrow.target
        return next((entry.span for entry in entries if entry.name.text == axis.name), arguments.arrow.span)
    values = (argument.value for argument in arguments.named.values())
    return next((one.span for one in values if axis.name in {name.text for name in size_names(one)}), arguments.span)


@lru_cache(maxsize=512)
def _meaning(word: str, text: str) -> Definition:
    """The formula of an operation, parsed. Raises Fault E0902, E0903 where it is larger than a text may be."""
    findings = Findings()
    source = Source(f"operation {word}", f"block {word} {text}\n")
    spec = parse(source, findings)
    for found in findings.errors:
        if isinstance(found, TooDeep | TooManyTokens | FileTooLarge):
            raise Fault(found)
    if spec is None or findings.errors:
        raise InternalError(f"the formula of `{word}` does not parse: {[str(one) for one in findings]}")
    file = File(source, spec, None, is_library=True)
    return file.own[0]


def _with_attributes(kind: type[Operation], arguments: Arguments, scope: Scope) -> Operation:
    fields = kind.model_fields
    given: dict[str, Any] = {}
    if arguments.arrow is not None:
        if "source" not in fields:
            help = f"it has {listed(fields)}" if fields else "it takes operands only"
            raise Fault(faults.UnknownArgument(arguments.arrow.span, callee=kind.word, name="->", help=help))
        sources = source_axes(arguments.arrow.source, arguments, scope)
        given["source"] = sources
        sized = {entry.name.text for entry in arguments.arrow.target if entry.size is not None}
        given["target"] = tuple(
            Fresh(axis.name, axis.size if axis.name in sized else None)
            for axis in target_axes(arguments.arrow.target, (), scope)
        )
    for name, argument in arguments.named.items():
        if name not in fields:
            continue
        given[name] = _attribute(name, fields[name].annotation, argument.value, arguments, scope)
    for name, field in fields.items():
        if field.is_required() and name not in given:
            example = "d -> (head: 4, k: 16)" if name in ("source", "target") else f"{name} = ..."
            raise Fault(faults.MissingArgument(arguments.span, callee=kind.word, name=name, help=f"write `{example}`"))
    try:
        return kind(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else kind.word
        span = arguments.named[name].value.span if name in arguments.named else arguments.span
        several = first["type"] == "too_long"
        expected = "one axis" if several else f"a value {first['msg'].removeprefix('Input should be ').lower()}"
        bounds = [int(one) for one in first.get("ctx", {}).values() if isinstance(one, int | float)]
        help = f"write `{name} = {bounds[0]}`" if bounds and first["type"].endswith("_equal") else ""
        raise Fault(faults.WrongArgument(span, name=name, callee=kind.word, expected=expected, help=help)) from None


def _attribute(name: str, annotation: Any, expr: tree.Expr, arguments: Arguments, scope: Scope) -> Any:
    """An attribute's value by its annotation."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    if get_args(annotation)[:1] == (Fresh,):
        return tuple(
            Fresh(axis.name, _written(axis.size)) for axis in axis_list(expr, arguments, scope, name, new=True).axes
        )
    if get_args(annotation)[:1] == (Axis,):
        return axis_list(expr, arguments, scope, name).axes
    if get_origin(annotation) is Literal:
        return choice(name, get_args(annotation), expr, scope).text
    if annotation is Size:
        return scope.frame.resolve(size_of(expr, scope))
    if annotation is int:
        return scope.frame.constant(size_of(expr, scope), expr.span, f"`{name}` of `{arguments.callee}`")
    if annotation is float:
        return float(number_of(expr, scope, name, arguments.callee))
    if annotation is bool:
        found = evaluate(expr, scope)
        if isinstance(found, Flag):
            return found.value
    expected = f"`true` or `false`, not {quoted(expr)}"
    raise Fault(faults.WrongArgument(expr.span, name=name, callee=arguments.callee, expected=expected))


def _written(size: Size) -> Size | None:
    return None if is_open(size) else size


def _bindings(hypers: Mapping[str, Any], scope: Scope) -> dict[str, Binding]:
    """Attributes as the names of the formula."""
    found: dict[str, Binding] = {}
    for name, value in hypers.items():
        match value:
            case tuple():
                found[name] = AxisList(tuple(_axis(one, scope) for one in value))
            case bool():
                found[name] = Flag(value)
            case Size():
                found[name] = Extent(value)
            case int():
                found[name] = Extent(Size.of(value))
            case float():
                found[name] = Scalar(value)
            case str():
                found[name] = Word(value)
            case _:
                pass
    return found


def _axis(one: Axis | Fresh, scope: Scope) -> Axis:
    if isinstance(one, Axis):
        return one
    return Axis(one.name, scope.frame.solver.unknown(one.name) if one.size is None else one.size)
