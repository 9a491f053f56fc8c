"""Loops and static choices."""

from __future__ import annotations

from contextlib import nullcontext

from archc.base.diagnostic import Fault
from archc.base.limits import LIMITS
from archc.elaborate import faults
from archc.elaborate.binding import (
    Binding,
    Extent,
    Flag,
    Several,
    Term,
    Word,
    together,
)
from archc.elaborate.body import run
from archc.elaborate.callee import overlooked
from archc.elaborate.carry import carry_of, check_carries, check_names, handed_on, keep_kinds, per_result, start_of
from archc.elaborate.constraint import Demand
from archc.elaborate.evaluate import as_term, evaluate
from archc.elaborate.extent import size_of
from archc.elaborate.scope import Scope, stem
from archc.ir.node import Repeat, Value
from archc.syntax import tree
from archc.types.size import Condition, Size
from archc.types.tensor_type import TensorType


@evaluate.register
def _(expr: tree.If, scope: Scope, hint: str | None = None) -> Binding:
    chosen, other = (expr.then, expr.otherwise) if holds(expr.condition, scope) else (expr.otherwise, expr.then)
    seen = scope.frame.session.overlooked
    if other.span not in seen:
        seen.add(other.span)
        for diagnostic in overlooked(other, scope):  # its sizes may not work out here, but its names mean something
            scope.frame.report(diagnostic)
    inner = scope.child()
    inner.introduced = set(scope.introduced)
    results = run(chosen, inner, [hint])
    return results[0] if len(results) == 1 else Several(tuple(as_term(one, expr.span) for one in results))


def holds(expr: tree.Expr, scope: Scope) -> bool:
    """Decide a static condition; sizes it depends on become numbers. Raises Fault E0341."""
    match expr:
        case tree.Logic(operator="not", operands=(operand,)):
            return not holds(operand, scope)
        case tree.Logic(operator=operator, operands=operands):
            return (all if operator == "and" else any)([holds(one, scope) for one in operands])
        case tree.Truth(value=value):
            return value
        case tree.Compare(operator=operator, left=tree.Name() as left, right=right) if isinstance(
            scope.find(left.text), Word
        ):
            word = scope.find(left.text)
            other = scope.find(right.text) if isinstance(right, tree.Name) else None
            given = other.text if isinstance(other, Word) else right.text if isinstance(right, tree.Name) else ""
            assert isinstance(word, Word)
            return (word.text == given) == (operator == "==")
        case tree.Compare(operator=operator, left=left, right=right):
            condition = Condition(operator, _static(left, scope), _static(right, scope))
            is_known = bool(condition.symbols) and condition.symbols <= set(scope.frame.values)
            verdict = None if is_known else scope.frame.facts.prove(condition)
            if verdict is None:
                values = [scope.frame.constant(one, expr.span, _CONDITION) for one in (condition.left, condition.right)]
                return Condition(operator, Size.of(values[0]), Size.of(values[1])).evaluate({})
            return verdict
        case tree.Name():
            found = scope.find(expr.text)
            if isinstance(found, Flag):
                return found.value
            if found is None and isinstance(evaluate(expr, scope), Term):
                raise Fault(faults.NotStatic(expr.span, what=_CONDITION, help=_CHOOSE))
        case _:
            pass
    raise Fault(faults.NotStatic(expr.span, what=_CONDITION, help="compare sizes, words or truth values"))


_CONDITION = "the condition of a static `if`"
_CHOOSE = "choose between values with `where(condition, a, b)`"


def _static(expr: tree.Expr, scope: Scope) -> Size:
    """A size that a static `if` compares. Raises Fault E0341 for a value."""
    try:
        return size_of(expr, scope)
    except Fault as fault:
        if not isinstance(fault.diagnostic, faults.NotASize):
            raise
        label = fault.diagnostic.label or "this is not a size"
        raise Fault(faults.NotStatic(fault.diagnostic.span, what=_CONDITION, label=label, help=_CHOOSE)) from None


@evaluate.register
def _(expr: tree.Repeat, scope: Scope, hint: str | None = None) -> Binding:
    frame = scope.frame
    count = size_of(expr.count, scope)
    number = frame.resolve(count).constant
    if number is not None and number > LIMITS.repeat:
        raise Fault(faults.TooManyPasses(expr.count.span, count=number, limit=LIMITS.repeat))
    spare = count.offset if count.symbols else 0  # `depth >= 1` reads better than `depth - 1 >= 0`
    frame.demand(Condition(">=", count - spare, Size.of(-spare)), Demand("repeat", expr.count.span))
    check_names(expr, scope)
    start = [(carry.name, start_of(carry, scope)) for carry in expr.carries]
    if expr.label is not None:
        return _unrolled(expr, start, frame.constant(count, expr.count.span, "the number of passes"), scope)
    initial = [frame.materialise(one, name, expr.span) for name, one in start]
    inputs = [
        carry_of(carry, value.type.kind, value.type.axes, expr, scope)
        for carry, value in zip(expr.carries, initial, strict=True)
    ]
    carried = [value.type for value in inputs]
    inner = scope.child({name: frame.read(value) for (name, _), value in zip(start, inputs, strict=True)})
    inner.introduced, inner.emitted = set(scope.introduced), None
    with frame.region(inputs, has_weights=not expr.shared) as region:
        found = run(expr.body, inner, [])
        check_carries(expr, len(found))
        spans = [result.span for result in per_result(expr.body, len(found))]
        terms = [as_term(one, span) for one, span in zip(found, spans, strict=True)]
        keep_kinds(expr, terms, inputs, scope)
        outputs = [
            handed_on(one, type, stem(name), span, scope)
            for one, type, (name, _), span in zip(terms, carried, start, spans, strict=True)
        ]
    module = frame.attribute(f"{stem(hint or start[0][0])}_{'pass' if expr.shared else 'passes'}")
    names = [hint] if hint and len(start) == 1 else [stem(name) for name, _ in start]
    results = tuple(Value(frame.allocate(name), type) for name, type in zip(names, carried, strict=True))
    frame.emit(
        Repeat(
            results=results,
            span=expr.span,
            path=frame.path,
            count=count,
            shared=expr.shared,
            module=module,
            initial=tuple(value.name for value in initial),
            body=region.close(outputs),
        )
    )
    return together([frame.read(value) for value in results])


def _unrolled(expr: tree.Repeat, start: list[tuple[str, Term]], count: int, scope: Scope) -> Binding:
    """A loop whose body knows the number of its pass: one copy per pass, all with one set of weights if `shared`."""
    assert expr.label is not None
    frame, terms = scope.frame, [one for _, one in start]
    with (
        frame.session.copied(count, expr.count.span),
        frame.sharing_passes(expr.span) if expr.shared else nullcontext() as passes,
    ):
        for number in range(count):
            if passes is not None:
                passes.begin()
            carries = {name: one for (name, _), one in zip(start, terms, strict=True)}
            inner = scope.child({**carries, expr.label: Extent(Size.of(number))})
            inner.introduced = set(scope.introduced)
            found = run(expr.body, inner, [name for name, _ in start])
            check_carries(expr, len(found))
            values = []
            for one, before, (name, _), result in zip(
                found, terms, start, per_result(expr.body, len(found)), strict=True
            ):
                type = TensorType(before.kind, before.axes)
                output = handed_on(as_term(one, result.span), type, name, result.span, scope)
                values.append(frame.read(Value(output, frame.types[output])))
            terms = values
    return together(terms)
