"""Bodies: statements in order, loops, static choices, and results checked against their declaration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial, singledispatch
from itertools import chain, repeat
from typing import NamedTuple

from archc.base.diagnostic import Fault, Note
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import (
    AxisList,
    Binding,
    BoundAxis,
    Definition,
    Partial,
    Poison,
    Several,
    SharedLayer,
    Sharing,
    Term,
)
from archc.elaborate.callee import overlooked
from archc.elaborate.constraint import DECLARE, Mismatch
from archc.elaborate.evaluate import as_term, evaluate, term, values_of
from archc.elaborate.extent import (
    axes_of,
    bounded,
    conditions_of,
    expand,
    listed,
    place_of,
    quoted,
    type_of,
)
from archc.elaborate.frame import Poisoned
from archc.elaborate.scope import Emitted, Scope
from archc.elaborate.start import initial_of, start_of, worded_start
from archc.elaborate.tuples import Shape
from archc.formula.rename import distinct
from archc.formula.tree import Formula, Literal, Read, Training, walk
from archc.ir.node import Assume, Initial, Update, Value
from archc.syntax import tree
from archc.types.size import Condition, Size
from archc.types.tensor_type import Axis, TensorType


def results_of(definition: Definition, scope: Scope) -> tuple[Term, ...]:
    """Elaborate a block's body; its results, checked against the declared outputs."""
    outputs = definition.tree.outputs
    for port in definition.starts:
        scope.names[port.name] = _default(port, scope)
    for name, shape in definition.flat.inputs.items():
        if not isinstance(shape, str):
            scope.names[name] = _tuple(shape, scope, definition.tree.head)
    found = run(definition.tree.body, scope, [port.name for port in outputs])
    spans = [expr.span for expr in definition.tree.body.results]
    if len(found) != len(outputs):
        place = outputs[0].span.to(outputs[-1].span) if outputs else definition.tree.head
        raise Fault(
            faults.WrongResults(
                spans[0].to(spans[-1]),
                what="the body",
                given=count_of(len(found)),
                expected=len(outputs) or "none",
                notes=[Note(place, "declared here")],
                help=_returned(len(outputs)) if outputs else "name what it gives, as in `-> (y: real[d])`",
            )
        )
    spans = spans if len(spans) == len(outputs) else [spans[0]] * len(outputs)
    parts = zip(found, outputs, spans, strict=True)
    return tuple(scope.frame.every(partial(_conformed, one, port, span, scope) for one, port, span in parts))


def _returned(count: int) -> str:
    return "return one value" if count == 1 else f"return {count} values with commas between them, one for each output"


def _conformed(found: Binding, port: tree.Port, span: Span, scope: Scope) -> Term:
    return conform(as_term(found, span), port, span, scope)


def _default(port: tree.Port, scope: Scope) -> Term:
    """What a port that a call leaves out stands for: its default, as wide as the port says. Raises Fault E0330."""
    assert port.default is not None
    found = term(port.default, scope)
    declared = type_of(port.type, scope, lambda axis, name, _: _signature_size(axis, name, scope))
    if declared.kind.is_real != found.kind.is_real and not (declared.kind.is_real and found.kind.is_integer):
        what = f"the default of `{port.name}`"
        raise Fault(faults.KindMismatch(port.default.span, what=what, expected=declared.kind, given=found.kind))
    axes = {axis.name: axis for axis in (*found.axes, *declared.axes)}
    formula = found.formula
    if isinstance(formula, Literal) and declared.kind.is_real:
        formula = Literal(float(formula.value))
    return Term(formula, tuple(axes.values()), declared.kind, port.name)


def _tuple(shape: tuple[Shape, ...], scope: Scope, span: Span) -> Several:
    """The ports of a tuple as the one value that the signature has."""
    parts = [scope.names[part] if isinstance(part, str) else _tuple(part, scope, span) for part in shape]
    return Several(tuple(one if isinstance(one, Several) else as_term(one, span) for one in parts))


def count_of(count: int) -> str:
    return "1 result" if count == 1 else f"{count} results"


def run(body: tree.Body, scope: Scope, hints: Sequence[str | None] = ()) -> list[Binding]:
    """Run the statements of a body and evaluate its results. Errors of statements are kept; those of results raise."""
    for statement in body.statements:
        try:
            with bounded(statement.span):
                execute(statement, scope)
        except (Fault, Poisoned) as error:
            if isinstance(error, Fault):
                scope.frame.report(error.diagnostic)
            _look_over(statement, scope)
            for name in _names(statement):
                scope.names[name] = Poison()
    named = zip(body.results, chain(hints, repeat(None)), strict=False)
    results: list[Binding] = []
    for found in scope.frame.every(partial(_result, expr, hint, scope) for expr, hint in named):
        results.extend(found.flat if isinstance(found, Several) else (found,))
    for name, state in scope.states.items():
        _update(name, state, body, scope)
    return results


def _result(expr: tree.Expr, hint: str | None, scope: Scope) -> Binding:
    """A result of a body. Raises Fault or Poisoned, once what else is wrong with its names is reported."""
    try:
        with bounded(expr.span):
            return evaluate(expr, scope, hint)
    except (Fault, Poisoned):
        _look_over(expr, scope)
        raise


def _look_over(faulty: tree.Statement | tree.Expr, scope: Scope) -> None:
    """Report what is wrong with the names in the parts of a text that a fault has kept from being evaluated."""
    scope.frame.failed = True
    for diagnostic in overlooked(faulty, scope):
        scope.frame.report(diagnostic)


def _update(name: str, state: Value, body: tree.Body, scope: Scope) -> None:
    """What a state of the body holds after the run, where a `let` has given its name another value."""
    frame, found = scope.frame, scope.names[name]
    if isinstance(found, Poison) or found == frame.read(state):
        return
    statement = [one for one in body.statements if name in _names(one)][-1]
    place = frame.spans[state.name].word(name)
    fitted = _fitted(as_term(found, statement.span), state.type, Declared(name, place), statement.span, scope)
    value = frame.materialise(fitted, name, statement.span, kind=fitted.kind)
    frame.emit(Update(results=(), span=statement.span, path=frame.path, state=state.name, value=value.name))


def _names(statement: tree.Statement) -> tuple[str, ...]:
    match statement:
        case tree.Let(names=names) | tree.Declaration(names=names):
            return names
        case tree.Share(name=name):
            return (name,)
        case _:
            return ()


def conform(found: Term, port: tree.Port, span: Span, scope: Scope) -> Term:
    """A result as its port declares it: the same axes (lifted ones aside), equal sizes, a kind that fits.

    The axes come lifted first, then as declared. Raises Fault E0310, E0312, E0313, E0330.
    """
    declared = type_of(port.type, scope, lambda axis, name, _: _signature_size(axis, name, scope))
    fitted = _fitted(found, declared, Declared(port.name, port.span), span, scope, scope.lifted)
    lifted = tuple(axis for axis in found.axes if axis.name in scope.lifted)
    return replace(fitted, axes=(*lifted, *declared.axes))


class Declared(NamedTuple):
    """What a value is declared as: a name, and where it is."""

    name: str
    span: Span


def _fitted(
    found: Term, declared: TensorType, port: Declared, span: Span, scope: Scope, lifted: frozenset[str] = frozenset()
) -> Term:
    """A value of the declared kind, its axes and sizes those of the type (lifted ones aside)."""
    own = [axis for axis in found.axes if axis.name not in lifted]
    names = {axis.name for axis in own}
    if names != set(declared.names):
        shown = f"[{', '.join(axis.name for axis in own)}]"
        raise Fault(
            faults.WrongAxes(
                span,
                what=f"`{port.name}`",
                declared=f"[{', '.join(declared.names)}]",
                actual=shown,
                notes=(Note(port.span, "declared here"),),
                help=_other_axes([axis.name for axis in own], declared.names, shown),
            )
        )
    sizes = {axis.name: axis.size for axis in found.axes}
    note = Note(port.span, "declared here")
    scope.frame.every(
        partial(scope.frame.equate, sizes[axis.name], axis.size, Mismatch(axis.name, span, (note,), DECLARE))
        for axis in declared.axes
    )
    fits = {
        "real": found.kind.is_real or found.kind.is_integer,
        "int": found.kind.is_integer,
        "simplex": (found.kind.word, found.kind.axis) == ("simplex", declared.kind.axis),
    }
    if not fits.get(declared.kind.word, declared.kind.word == found.kind.word):
        help = f"declare it `{found.kind}`"
        if declared.kind.word == "simplex":
            help = f"end with a softmax over `{declared.kind.axis}`, or declare it `{found.kind}`"
        what = f"`{port.name}`"
        raise Fault(
            faults.KindMismatch(span, what=what, expected=declared.kind, given=found.kind, notes=[note], help=help)
        )
    if declared.kind.word == "index" and declared.kind.size is not None and found.kind.size is not None:
        # a position among fewer would do as one among more, but then nobody knows which axis it points into
        help = "declare `index({left})`, or give back positions among {right}"
        origin = Mismatch(declared.kind.axis or port.name, span, (note,), help)
        scope.frame.equate(found.kind.size, declared.kind.size, origin)
    return Term(found.formula, found.axes, declared.kind)


def _other_axes(own: Sequence[str], declared: Sequence[str], shown: str) -> str:
    """What to write where a value has not the axes that are declared."""
    extra = [name for name in own if name not in declared]
    if extra and len(extra) + len(declared) == len(own):
        return f"reduce over {listed(extra)}, as in `sum {', '.join(extra)}: ...`, or declare {shown}"
    missing = [name for name in declared if name not in own]
    return f"declare {shown}, or give the value {listed(missing)}"


def _signature_size(axis: str, name: tree.Name, scope: Scope) -> Size:
    listed = scope.names_axes(name.parts[-1])
    for one in listed.axes if isinstance(listed, AxisList) else ():
        if one.name == axis:
            return one.size
    found = scope.find(axis)
    return found.axis.size if isinstance(found, BoundAxis) else scope.frame.solver.unknown(axis)


@singledispatch
def execute(statement: tree.Statement, scope: Scope) -> None:
    """Run one statement in a scope."""
    raise TypeError(f"a {type(statement).__name__} is no statement")


def bind(name: str, found: Binding, span: Span, scope: Scope) -> None:
    """Give a name a meaning. Raises Fault E0304 where an axis of the signature has the name."""
    demand_no_axis(name, span.word(name), scope)
    scope.names[name] = found
    scope.introduced.discard(name)
    if isinstance(found, Term):
        introduce(found.axes, scope)


def demand_no_axis(name: str, span: Span, scope: Scope) -> None:
    """A value must not be called like an axis of the signature. Raises Fault E0304."""
    if isinstance(scope.find(name), BoundAxis) and name not in scope.introduced:
        raise Fault(faults.AxisValueClash(span, name=name, help="give the value another name"))


def introduce(axes: Sequence[Axis], scope: Scope) -> None:
    """Make the axes of a value known, so that `size(k)` may speak of them; the signature's keep their meaning."""
    for axis in axes:
        if axis.name in scope.lifted or not (scope.find(axis.name) is None or axis.name in scope.introduced):
            continue
        scope.names[axis.name] = BoundAxis(axis)
        scope.introduced.add(axis.name)


@execute.register
def _(statement: tree.Let, scope: Scope) -> None:
    if statement.axes is not None:
        _let_declared(statement, statement.axes, scope)
        return
    hint = statement.names[0] if len(statement.names) == 1 else None
    found = evaluate(statement.value, scope, hint)
    if len(statement.names) > 1:
        terms = found.terms if isinstance(found, Several) else (found,)
        if len(terms) != len(statement.names):
            given, expected = count_of(len(terms)), len(statement.names)
            names = ", ".join(f"x{number + 1}" for number in range(len(terms)))
            help = f"write `let {names if len(terms) == 1 else f'({names})'} = ...`"
            raise Fault(
                faults.WrongResults(statement.value.span, what="this", given=given, expected=expected, help=help)
            )
        for name, one in zip(statement.names, terms, strict=True):
            bind(name, one, statement.span, scope)
        return
    if isinstance(found, Several):
        given, help = count_of(len(found.terms)), "name each of them: `let (a, b) = ...`"
        raise Fault(faults.WrongResults(statement.value.span, what="this", given=given, expected=1, help=help))
    (name,) = statement.names
    if isinstance(found, Term) and scope.edging is None:
        found = scope.frame.read(scope.frame.materialise(found, name, statement.span))
    bind(name, found, statement.span, scope)


def _let_declared(statement: tree.Let, axes: tuple[tree.AxisType, ...], scope: Scope) -> None:
    """`let y[k, h: size] = value`: the result's axes are declared, and may be wider than the value's."""
    (name,) = statement.names
    declared = axes_of(axes, scope, lambda axis, name, _: _signature_size(axis, name, scope))
    hidden = {axis for entry in axes for axis, _ in expand(entry.name, scope) if scope.hides(entry.name, axis)}
    inner = scope.child({axis.name: BoundAxis(axis) for axis in declared if axis.name in hidden})
    inner.declared = frozenset(axis.name for axis in declared)
    inner.bind(declared)
    found = term(statement.value, inner, name)
    for axis in declared:
        scope.frame.mark_widths([axis], place_of(axis, axes, statement.span))
    own = {axis.name: axis for axis in found.axes}
    extra = [one for one in own if one not in inner.declared and one not in scope.lifted]
    if extra:
        raise Fault(
            faults.WrongAxes(
                statement.value.span,
                what=f"`{name}`",
                declared=f"[{', '.join(axis.name for axis in declared)}]",
                actual=f"[{', '.join(own)}]",
                notes=[Note(statement.span.word(name), "declared here")],
                help=f"declare {', '.join(f'`{one}`' for one in extra)} too, or reduce over it",
            )
        )
    for axis in declared:
        if axis.name in own:
            note = Note(place_of(axis, axes, statement.span.word(name)), "declared here")
            scope.frame.equate(
                own[axis.name].size, axis.size, Mismatch(axis.name, statement.value.span, (note,), DECLARE)
            )
    order = (*(axis for axis in found.axes if axis.name in scope.lifted), *declared)
    wide = Term(found.formula, order, found.kind)
    if scope.edging is None:
        wide = scope.frame.read(scope.frame.materialise(wide, name, statement.span, order))
    bind(name, wide, statement.span, scope)


@execute.register
def _(statement: tree.Declaration, scope: Scope) -> None:
    frame, edging = scope.frame, scope.edging
    if statement.role == "state" and (scope.is_inline or edging is not None):
        raise Fault(faults.StateInside(statement.span, where="an edge, nor in what `grad` derives"))
    own = type_of(statement.type, scope, lambda axis, name, _: _signature_size(axis, name, scope))
    for axis in own.axes:
        frame.mark_widths([axis], place_of(axis, statement.type.axes, statement.type.span))
    before = edging.axes if edging and statement.role == "param" else ()
    type = TensorType(own.kind, (*before, *own.axes))
    initial, formula = _start(statement, own, scope)
    for name in statement.names:
        before_it = scope.names.get(name)
        if before_it is not None and not isinstance(before_it, BoundAxis | Poison):
            raise Fault(faults.RepeatedName(statement.span.word(name), name=name, notes=_origin(before_it, scope)))
        value = scope.parameter(name, type, statement.span, role=statement.role, initial=initial, formula=formula)
        found = edging.read(value, own) if edging and before else frame.read(value)
        bind(name, found, statement.span, scope)
        if statement.role == "state":
            scope.states[name] = value
        introduce(own.axes, scope)


def _origin(found: Binding, scope: Scope) -> tuple[Note, ...]:
    """Where a value that has a name was defined."""
    if not isinstance(found, Term) or not isinstance(found.formula, Read):
        return ()
    span = scope.frame.spans.get(found.formula.value)
    return () if span is None else (Note(span, "the first one"),)


def _start(statement: tree.Declaration, own: TensorType, scope: Scope) -> tuple[Initial | None, Formula | None]:
    """How a parameter starts: an initialiser with its fans, or a formula for a constant."""
    expr, role = statement.initial, statement.role
    if expr is None:
        return initial_of(None, own, scope, role), None
    start = worded_start(expr, scope) if role == "const" else start_of(expr, scope, "=", role)
    if start is not None:
        return initial_of(start, own, scope, role), None
    inner = scope.child({axis.name: BoundAxis(axis) for axis in own.axes})
    inner.declared = frozenset(own.names)
    inner.bind(own.axes)
    value = term(expr, inner)
    if value.formula.reads or any(isinstance(part, Training) for part in walk(value.formula)):
        help = "compute it with `let`"
        raise Fault(
            faults.NotStatic(expr.span, what="what a constant holds", label="it reads values of the run", help=help)
        )
    return None, distinct(value.formula, frozenset(own.names))


@execute.register
def _(statement: tree.Share, scope: Scope) -> None:
    value = statement.value
    sharing = scope.frame.common(statement.span) or Sharing("", len(scope.frame.open))
    sharing.name, sharing.place = statement.name, scope.frame.session.place(statement.span)
    if isinstance(value, tree.Call) and value.function.text == "layer":
        bind(statement.name, SharedLayer(value, scope, sharing), statement.span, scope)
        return
    found = evaluate(value, scope)
    if not isinstance(found, Partial):
        raise Fault(
            faults.WrongArgument(
                value.span, name=statement.name, callee="share", expected="a block without its operands, or a layer"
            )
        )
    bind(statement.name, Partial(found.definition, found.hypers, sharing), statement.span, scope)


@execute.register
def _(statement: tree.Emit, scope: Scope) -> None:
    if scope.emitted is None:
        raise Fault(faults.EmitOutsideScan(statement.span))
    value = statement.value
    hint = value.text if isinstance(value, tree.Name) else None
    for one in values_of(evaluate(value, scope), value.span):
        scope.emitted.append(Emitted(one, value.span, hint))


@execute.register
def _(statement: tree.Assume, scope: Scope) -> None:
    frame = scope.frame
    try:
        conditions: tuple[Condition, ...] = tuple(conditions_of(statement.condition, scope))
    except Fault:
        truth = term(statement.condition, scope)
        if truth.kind.word != "bool":
            raise Fault(
                faults.KindMismatch(statement.span, what="`assume`", expected="a condition", given=truth.kind)
            ) from None
        if isinstance(truth.formula, Literal):
            _demand_true(bool(truth.formula.value), statement)
            return
        formula = distinct(truth.formula, frozenset(truth.names))
        frame.emit(Assume(results=(), span=statement.span, path=frame.path, condition=formula, axes=truth.axes))
        return
    for condition in conditions:
        _demand_true(frame.facts.prove(condition) is not False, statement)
    frame.learn(conditions)
    for condition in conditions:
        frame.emit(Assume(results=(), span=statement.span, path=frame.path, condition=condition))


def _demand_true(holds: bool, statement: tree.Assume) -> None:
    """What is never true cannot be assumed. Raises Fault E0321."""
    if not holds:
        place = statement.condition.span
        raise Fault(faults.RefutedCondition(place, callee="assume", condition=quoted(statement.condition), numbers=""))
