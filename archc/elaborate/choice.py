"""Static choices: an `if` whose condition is decided when the spec is compiled."""

from __future__ import annotations

from archc.base.diagnostic import Fault
from archc.elaborate import faults
from archc.elaborate.binding import Binding, Flag, Several, Term, Word
from archc.elaborate.body import run
from archc.elaborate.callee import overlooked
from archc.elaborate.evaluate import as_term, evaluate
from archc.elaborate.extent import size_of
from archc.elaborate.scope import Scope
from archc.syntax import tree
from archc.types.size import Condition, Size


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
