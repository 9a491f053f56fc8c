"""Expressions to terms: names, arithmetic, comparison, edges written as sums and chains.

`evaluate` is open: each module of this package registers the tree nodes it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial, singledispatch

from archc.base.diagnostic import Fault, Note
from archc.base.limits import LIMITS
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import (
    EDGES,
    Activation,
    AxisList,
    Binding,
    BoundAxis,
    Chain,
    Edge,
    Extent,
    Flag,
    Partial,
    Scalar,
    Scaled,
    Several,
    Term,
    Together,
    describe,
    position,
)
from archc.elaborate.constraint import PROJECT, Demand, Mismatch, worded
from archc.elaborate.extent import comparisons, find_name, unknown_name
from archc.elaborate.scope import Scope
from archc.elaborate.words import WRITTEN
from archc.formula.tree import Apply, Literal, Read, SizeValue, Training
from archc.ops.operation import Pointwise
from archc.ops.registries import OPERATIONS, POINTWISE, REDUCTIONS
from archc.syntax import tree
from archc.types.size import Condition, Size
from archc.types.tensor_type import BOOL, INT, REAL, Axis, Kind

COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
HINTS = {"add": "total", "sub": "difference", "mul": "product", "div": "ratio", "neg": "negative", "pow": "power"}
COMPARE, NUMBERS = "compare it, as in `x > 0`", "write `where(condition, 1, 0)`"
"""How a number becomes a truth value, and a truth value a number."""
PAIRS = "write a complex number as a pair of reals along an axis, as in `real[d, part: 2]`"
TRAINING = "training"
"""The word for whether the module trains, where nothing else is called so."""
PRODUCTS = {"*": "mul", "/": "div", "//": "floordiv", "%": "mod"}


@singledispatch
def evaluate(expr: tree.Expr, scope: Scope, hint: str | None = None) -> Binding:
    """What an expression denotes in a scope; `hint` names the value it is going to be.

    Raises Fault with a diagnostic, or Poisoned where something it uses was already reported.
    """
    is_text = isinstance(expr, tree.Text)
    help = "a string names a file, after `use`; words such as `zero` are written without quotes" if is_text else ""
    raise Fault(faults.NotAValue(expr.span, what="a string" if is_text else "this", help=help))


def term(expr: tree.Expr, scope: Scope, hint: str | None = None) -> Term:
    """The expression as a value."""
    return as_term(evaluate(expr, scope, hint), expr.span)


def as_term(found: Binding, span: Span) -> Term:
    """A binding as a value: an axis is its position, a whole number itself."""
    match found:
        case Term():
            return found
        case Several(terms=(Term() as only,)):
            return only
        case Extent(size=size):
            return Term(SizeValue(size), (), INT)
        case BoundAxis(axis=axis) | AxisList(axes=(axis,)):
            return position(axis)
        case Scalar(value=value):
            return Term(Literal(value), (), REAL)
        case Flag(value=value):
            return Term(Literal(value), (), BOOL)
        case _:
            word = span.source.text[span.start : span.end]
            help = f"its size is written `size({word})`" if isinstance(found, AxisList) else ""
            raise Fault(faults.NotAValue(span, what=describe(found), help=help))


def each(parts: Iterable[tree.Expr], scope: Scope) -> list[Binding]:
    """What each of some expressions denotes; all are looked at, whatever is wrong with one."""
    return scope.frame.every(partial(evaluate, part, scope) for part in parts)


def terms_of(parts: Sequence[tree.Expr], scope: Scope) -> list[tuple[Term, Span]]:
    """Each of some expressions as a value, with its place."""
    return [(as_term(found, part.span), part.span) for found, part in zip(each(parts, scope), parts, strict=True)]


def values_of(found: Binding, span: Span) -> tuple[Term, ...]:
    """A binding as values in order: all those of a tuple."""
    return found.flat if isinstance(found, Several) else (as_term(found, span),)


def as_edge(found: Binding, span: Span, name: str, callee: str) -> Edge:
    """A binding as an edge, for the argument `name` of `callee`. Raises Fault E0204."""
    if isinstance(found, EDGES):
        return found
    expected, help = f"an edge, not {describe(found)}", "write an edge such as `weight`, `relu` or `spline(grid = 5)`"
    raise Fault(faults.WrongArgument(span, name=name, callee=callee, expected=expected, help=help))


@evaluate.register
def _(expr: tree.Name, scope: Scope, hint: str | None = None) -> Binding:
    found = find_name(expr, scope)
    if isinstance(found, AxisList) and len(found.axes) == 1:
        found = BoundAxis(found.axes[0])
    if isinstance(found, BoundAxis):
        # a hyper-parameter that is one axis: as a value, the position that the formula at hand gives that axis
        running = scope.positions.get(found.axis.name)
        if running is None and scope.runs_over(found.axis.name):
            return scope.at_hand(position(found.axis))
        return BoundAxis(running or found.axis)
    if found is not None:
        return found
    definition = scope.file.find(expr.parts)
    if definition is not None:
        return Partial(definition)
    function = POINTWISE.get(expr.text)
    if function is not None and function.arity == 1:
        return Activation(expr.text)
    if expr.text == TRAINING:
        return Term(Training(), (), BOOL)
    written = as_written(expr.text)
    if written is not None:
        help = f"write it with its operands, as in `{written}`; an edge or a neuron is a block, or a function of one"
        raise Fault(faults.BareName(expr.span, name=expr.text, help=help))
    raise Fault(unknown_name(expr, scope, (*POINTWISE.words, TRAINING)))


def as_written(word: str) -> str | None:
    """How a word is written that is built in and takes operands; None for any other word."""
    function, operation = POINTWISE.get(word), OPERATIONS.get(word)
    if function is not None:
        return f"{word}({', '.join('abc'[: function.arity or 2])})"
    if operation is not None:
        return next(sample.body for sample in operation.samples if sample.code is None)
    return f"{word}(x, over = d)" if word in REDUCTIONS else WRITTEN.get(word)


@evaluate.register
def _(expr: tree.Number, scope: Scope, hint: str | None = None) -> Binding:
    return Term(Literal(expr.value), (), INT if isinstance(expr.value, int) else REAL)


@evaluate.register
def _(expr: tree.Group, scope: Scope, hint: str | None = None) -> Binding:
    found = each(expr.items, scope)
    parts = zip(found, expr.items, strict=True)
    return Several(tuple(one if isinstance(one, Several) else as_term(one, item.span) for one, item in parts))


@evaluate.register
def _(expr: tree.Truth, scope: Scope, hint: str | None = None) -> Binding:
    return Flag(expr.value)


@evaluate.register
def _(expr: tree.Negate, scope: Scope, hint: str | None = None) -> Binding:
    found = evaluate(expr.operand, scope)
    if isinstance(found, EDGES):
        return Scaled(Term(Literal(-1), (), INT), found)
    return _negated(as_term(found, expr.operand.span), expr.operand.span, scope, expr.span)


def _negated(operand: Term, place: Span, scope: Scope, span: Span) -> Term:
    """The negative of a term; that of a number is a number."""
    value = operand.formula.value if isinstance(operand.formula, Literal) else None
    if value is None or isinstance(value, bool):
        return combine("neg", "-", [(operand, place)], scope, span)
    return Term(Literal(-value), (), operand.kind)


@evaluate.register
def _(expr: tree.Power, scope: Scope, hint: str | None = None) -> Binding:
    base, (exponent, place) = terms_of((expr.base, expr.exponent), scope)
    if isinstance(exponent.formula, Literal) and exponent.formula.value < 0:
        # even of a whole number, this is none
        exponent = Term(Literal(float(exponent.formula.value)), (), REAL)
    operands = [base, (exponent, place)]
    return combine("pow", "^", operands, scope, expr.span)


@evaluate.register
def _(expr: tree.Sum, scope: Scope, hint: str | None = None) -> Binding:
    inner = scope.child() if scope.in_reduction else scope
    inner.in_reduction = False
    found = each(expr.terms, inner)
    edges = tuple(one for one in found if isinstance(one, EDGES))
    if len(edges) == len(found):
        return Together(edges, expr.signs)
    if edges:
        raise Fault(_edge_among_values(found, expr.terms))
    terms = [as_term(one, part.span) for one, part in zip(found, expr.terms, strict=True)]
    operands = []
    for sign, one, part in zip(expr.signs, terms, expr.terms, strict=True):
        signed = one if sign == "+" else _negated(one, part.span, scope, part.span)
        operands.append((signed, part.span))
    if len(operands) == 2 and expr.signs[1] == "-":
        pairs = [(one, part.span) for one, part in zip(terms, expr.terms, strict=True)]
        return combine("sub", "-", pairs, scope, expr.span)
    return combine("add", "+", operands, scope, expr.span)


@evaluate.register
def _(expr: tree.Product, scope: Scope, hint: str | None = None) -> Binding:
    found = each(expr.factors, scope)
    if any(isinstance(one, EDGES) for one in found):
        scales = isinstance(found[0], Extent | Scalar | Term) and (not isinstance(found[0], Term) or not found[0].axes)
        if len(found) == 2 and expr.operators[1] == "*" and isinstance(found[1], EDGES) and scales:
            return Scaled(as_term(found[0], expr.factors[0].span), found[1])
        raise Fault(_edge_among_values(found, expr.factors))
    operands = [(as_term(one, part.span), part.span) for one, part in zip(found, expr.factors, strict=True)]
    run, last = [operands[0]], expr.span
    for operator, operand in zip(expr.operators[1:], operands[1:], strict=True):
        if operator == "*":
            run.append(operand)
            continue
        _demand_divisor(operator, *operand, scope)
        pair = [(combine("mul", "*", run, scope, last), last), operand]
        if operator == "//" and not all(one.kind.is_integer for one, _ in pair):
            ratio = combine("div", operator, pair, scope, expr.span)
            run = [(combine("floor", operator, [(ratio, last)], scope, expr.span), last)]
        else:
            run = [(combine(PRODUCTS[operator], operator, pair, scope, expr.span), last)]
    return combine("mul", "*", run, scope, expr.span)


def _demand_divisor(operator: str, divisor: Term, place: Span, scope: Scope) -> None:
    """What is known to divide is not zero. Raises Fault E0333, E0320, E0321."""
    formula = divisor.formula
    size = formula.size if isinstance(formula, SizeValue) else None
    number = formula.value if isinstance(formula, Literal) else None if size is None else size.constant
    if number == 0:
        raise Fault(faults.DivisionByZero(place, operator=operator))
    if size is not None and operator in ("//", "%"):
        scope.frame.demand(Condition(">=", size, Size.of(1)), Demand(operator, place))


@evaluate.register
def _(expr: tree.Compare, scope: Scope, hint: str | None = None) -> Binding:
    sign, found = expr.operator, []
    for _, inner in comparisons(expr, scope):
        operands = terms_of((expr.left, expr.right), inner)
        found.append((combine(COMPARISONS[sign], sign, operands, inner, expr.span), expr.span))
    return found[0][0] if len(found) == 1 else combine("and", "and", found, scope, expr.span)


@evaluate.register
def _(expr: tree.Logic, scope: Scope, hint: str | None = None) -> Binding:
    operands = terms_of(expr.operands, scope)
    return combine(expr.operator, expr.operator, operands, scope, expr.span)


@evaluate.register
def _(expr: tree.Compose, scope: Scope, hint: str | None = None) -> Binding:
    stages = []
    for stage, found in zip(expr.stages, each(expr.stages, scope), strict=True):
        if not isinstance(found, EDGES):
            raise Fault(
                faults.KindMismatch(
                    stage.span,
                    what="`>>`",
                    expected="edges",
                    given=describe(found),
                    help="a value is piped: `x |> f()`",
                )
            )
        stages.append(found)
    return Chain(tuple(stages))


def _edge_among_values(found: Sequence[Binding], parts: Sequence[tree.Expr]) -> faults.NotAValue:
    """The diagnostic for a function or block that was probably meant to be applied."""
    at = next(number for number, one in enumerate(found) if isinstance(one, EDGES))
    part = parts[at]
    word = part.text if isinstance(part, tree.Name) else "f"
    help = f"apply it, as in `{word}(x)`; a number times an edge is written `c * {word}`"
    return faults.NotAValue(parts[at].span, what=describe(found[at]), help=help)


def combine(
    function: str,
    sign: str,
    operands: Sequence[tuple[Term, Span]],
    scope: Scope,
    span: Span,
    attributes: tuple[tuple[str, int | float], ...] = (),
) -> Term:
    """A pointwise function of terms, with the broadcasting rule: one side's axes contain the other's, unless a wider
    result is declared or the product stands under a reduction.

    Raises Fault E0311 (outer product), E0312 or E0313 (sizes), E0330 (kinds).
    """
    if len(operands) == 1 and function in ("mul", "add"):
        return operands[0][0]
    operands = [(_shallow(one, scope, place), place) for one, place in operands]
    result = _result_kind(POINTWISE[function], sign, operands)
    axes = unite(sign, operands, scope, span, is_product=function == "mul")
    return Term(
        Apply(function, tuple(one.formula for one, _ in operands), attributes),
        axes,
        result,
        HINTS.get(function, function),
    )


def _shallow(term: Term, scope: Scope, span: Span) -> Term:
    """The term, as a value of its own where its formula is so deep that it would be no spec when written out."""
    if term.formula.depth < LIMITS.depth // 2:
        return term
    return scope.frame.read(scope.frame.materialise(term, None, span))


def unite(
    sign: str, operands: Sequence[tuple[Term, Span]], scope: Scope, span: Span, *, is_product: bool = False
) -> tuple[Axis, ...]:
    """The axes of a pointwise result, those of the widest operand first."""
    is_wide = scope.is_free or (scope.in_reduction and is_product)
    seen: frozenset[str] = frozenset()
    sizes: dict[str, tuple[Size, Span, Term]] = {}
    for one, place in operands:
        own = frozenset(one.names) - scope.lifted
        is_declared = scope.declared is not None and seen | own <= scope.declared | scope.binders
        fits = is_wide or seen <= own or own <= seen or is_declared
        if not fits:
            before, after = [name for name in sizes if name in seen], [name for name in one.names if name in own]
            raise Fault(_outer(sign, before, after, place, span))
        seen |= own
        for axis in one.axes:
            if axis.name not in sizes:
                sizes[axis.name] = (axis.size, place, one)
                continue
            size, first, owner = sizes[axis.name]
            if size != axis.size:
                notes = (Note(first, f"{worded(scope.frame.resolve(size))} here"), *_defined(owner, axis.name, scope))
                scope.frame.equate(axis.size, size, Mismatch(axis.name, place, notes, PROJECT))
    widest = max((one for one, _ in operands), key=lambda one: len(one.axes))
    order = dict.fromkeys(widest.names)
    order.update(dict.fromkeys(name for one, _ in operands for name in one.names))
    twins = {axis.name: axis.twin for one, _ in operands for axis in one.axes}
    return tuple(Axis(name, sizes[name][0], twins[name]) for name in order)


def _defined(owner: Term, axis: str, scope: Scope) -> tuple[Note, ...]:
    """Where a value that is read whole was defined."""
    if isinstance(owner.formula, Read):
        span = scope.frame.spans.get(owner.formula.value)
        if span is not None:
            return (Note(span, f"axis `{axis}` comes from here"),)
    return ()


def _outer(sign: str, seen: Sequence[str], own: Sequence[str], place: Span, span: Span) -> faults.OuterProduct:
    def show(names: Iterable[str]) -> str:
        return f"[{', '.join(names)}]"

    return faults.OuterProduct(
        span,
        operator=sign,
        left=show(seen),
        right=show(own),
        notes=(Note(place, f"this has {show(own)}"),),
        help=f"if that is meant, declare the wider result: `let r{show(dict.fromkeys([*seen, *own]))} = ...`",
    )


def _result_kind(function: type[Pointwise], sign: str, operands: Sequence[tuple[Term, Span]]) -> Kind:
    """The kind of a pointwise result; `sign` is how the function is written. Raises Fault E0330."""
    logical = function.word in ("and", "or", "not")
    for one, place in operands:
        if one.kind.word == "complex":
            what = f"`{sign}`"
            raise Fault(faults.KindMismatch(place, what=what, expected="real numbers", given=one.kind, help=PAIRS))
    for number, (one, place) in enumerate(operands):
        wants_truth = logical or (function.word == "where" and number == 0)
        if wants_truth and one.kind.word != "bool":
            what = f"`{sign}`"
            raise Fault(faults.KindMismatch(place, what=what, expected="a truth value", given=one.kind, help=COMPARE))
        if not wants_truth and one.kind.word == "bool" and function.word not in ("eq", "ne", "where"):
            help = NUMBERS
            raise Fault(faults.KindMismatch(place, what=f"`{sign}`", expected="numbers", given=one.kind, help=help))
    if function.result == "bool":
        return BOOL
    kinds = [one.kind for one, _ in operands]
    if function.word == "where":
        kinds = kinds[1:]
    if function.word in ("add", "sub") and any(kind.word == "point" for kind in kinds):
        points = [kind for kind in kinds if kind.word == "point"]
        return points[0] if len(points) == 1 else REAL
    if function.result == "same":
        if all(kind.is_integer for kind in kinds):
            return INT
        return BOOL if all(kind.word == "bool" for kind in kinds) else REAL
    return INT if function.result == "int" else REAL
