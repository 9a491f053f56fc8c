"""Indexing: `x[h: 2 * h + dy]`, `x[n: src]`, `x[n: m]`, and the proof that an index stays inside its axis."""

from __future__ import annotations

from collections.abc import Callable

from archc.base.diagnostic import Fault
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import Binding, BoundAxis, Term, position
from archc.elaborate.constraint import Demand, Mismatch
from archc.elaborate.evaluate import evaluate, term
from archc.elaborate.extent import expand, unknown_axis
from archc.elaborate.scope import Scope
from archc.formula.tree import Apply, Formula, Literal, Position, Read, SizeValue
from archc.syntax import tree
from archc.types.size import Condition, Size, SizeError
from archc.types.tensor_type import REAL, Axis


@evaluate.register
def _(expr: tree.Index, scope: Scope, hint: str | None = None) -> Binding:
    value = term(expr.value, scope)
    frame = scope.frame
    if not value.is_plain:
        value = frame.read(frame.materialise(value, None, expr.value.span))
    assert isinstance(value.formula, Read)
    outside = None if expr.outside is None else term(expr.outside, scope)
    if outside is not None and outside.axes:
        span, help = _span(expr.outside, expr.span), "write a number, as in `else 0`, or pad the value by another one"
        expected, given = "a number without axes", f"`{outside}`"
        raise Fault(faults.KindMismatch(span, what="`else`", expected=expected, given=given, help=help))
    entries: dict[str, tuple[Term, Span]] = {}
    for entry in expr.entries:
        for axis, inner in expand(entry.axis, scope):
            size = value.size(axis)
            if size is None:
                what = f"`{expr.value.text}`" if isinstance(expr.value, tree.Name) else "this value"
                raise frame.lacking(unknown_axis(entry.axis, value.names, what), axis, [value])
            if axis in entries:
                raise Fault(faults.DuplicateAxis(entry.axis.span, axis=axis, help="index an axis once"))
            index = _index(entry.value, size, inner)
            if not index.kind.is_integer:
                help = f"a pointer is declared `index({axis})`" if index.axes else ""
                raise Fault(faults.IndexKind(entry.value.span, kind=index.kind, help=help))
            if outside is None:
                _prove_inside(index, axis, size, entry.value.span, scope)
            entries[axis] = (index, entry.value.span)
    indices = tuple(
        entries[index.axis][0].formula if isinstance(index, Position) and index.axis in entries else index
        for index in value.formula.indices
    )
    axes: dict[str, Axis] = {}
    for own in value.axes:
        new, place = (entries[own.name][0].axes, entries[own.name][1]) if own.name in entries else ((own,), expr.span)
        for one in new:
            if one.name in axes:
                frame.equate(one.size, axes[one.name].size, Mismatch(one.name, place))
            axes.setdefault(one.name, one)
    formula = Read(value.formula.value, indices, None if outside is None else outside.formula)
    whole = {
        own.name: index.formula.axis
        for own in value.axes
        for index in [entries[own.name][0] if own.name in entries else position(own)]
        if isinstance(index.formula, Position)
        and frame.facts.equal(frame.resolve(index.axes[0].size), frame.resolve(own.size))
    }
    kind = REAL if outside is not None and value.kind.word == "simplex" else value.kind.under(whole)
    return Term(formula, tuple(axes.values()), kind, value.hint)


def _span(expr: tree.Expr | None, default: Span) -> Span:
    return default if expr is None else expr.span


def _index(expr: tree.Expr, size: Size, scope: Scope) -> Term:
    """An index expression; a bare name that no reduction or declared result binds is the axis under a new
    name."""
    if isinstance(expr, tree.Name):
        axes = [name for name, _ in expand(expr, scope)]
        found = scope.find(axes[0]) if len(axes) == 1 else None
        running = scope.positions.get(axes[0]) if len(axes) == 1 else None
        if running is not None:
            bound = scope.frame.resolve(running.size)
            if len(bound.symbols) == 1 and all(symbol.startswith("?") for symbol in bound.symbols):
                scope.frame.equate(bound, size, Mismatch(axes[0], expr.span))
            return position(running)
        if len(axes) == 1 and scope.runs_over(axes[0]):  # the position at hand, which is no axis any more
            return term(expr, scope)
        means_nothing = found is None and scope.find(expr.text) is None and scope.file.find(expr.parts) is None
        if len(axes) == 1 and (isinstance(found, BoundAxis) or means_nothing):
            return position(Axis(axes[0], size))
    inner = scope.child()
    inner.is_free = True
    return term(expr, inner)


def _prove_inside(index: Term, axis: str, size: Size, span: Span, scope: Scope) -> None:
    """Ask for 0 <= index <= size - 1. Raises Fault E0316 where the range of the index is not known."""
    bounds = _range(index.formula, index, scope)
    frame = scope.frame
    origin = Demand("indexing", span, axis)
    if bounds is None:
        carry = frame.loosened.get(index.formula.value) if isinstance(index.formula, Read) else None
        pointer = f"declare the pointer as `index({axis})`" if carry is None else f"give back an `index({axis})`"
        raise Fault(
            faults.IndexOutside(
                span,
                axis=axis,
                label=f"an integer of unknown range (kind {index.kind})",
                help=f"{pointer}, or say what stands outside with `else`",
                notes=() if carry is None else (carry,),
            )
        )
    low, high = bounds
    frame.demand(Condition(">=", low, Size.of(0)), origin)
    frame.demand(Condition("<=", high, size - 1), origin)


def _range(formula: Formula, index: Term, scope: Scope) -> tuple[Size, Size] | None:
    """The least and the greatest value of an integer formula, where its form tells."""
    match formula:
        case Literal(value=value) if isinstance(value, int):
            return Size.of(value), Size.of(value)
        case SizeValue(size=size):
            return size, size
        case Position(axis=axis):
            extent = index.size(axis)
            return None if extent is None else (Size.of(0), extent - 1)
        case Read(value=value):
            kind = scope.frame.types[value].kind
            return None if kind.word != "index" or kind.size is None else (Size.of(0), kind.size - 1)
        case Apply(function=function, operands=operands):
            parts = [_range(operand, index, scope) for operand in operands]
            known = [part for part in parts if part is not None]
            try:
                return _combined(function, parts, known)
            except SizeError:
                return None
        case _:
            return None


def _combined(
    function: str, parts: list[tuple[Size, Size] | None], known: list[tuple[Size, Size]]
) -> tuple[Size, Size] | None:
    """Interval arithmetic on sizes."""
    if function == "mod":
        divisor = parts[1]
        return None if divisor is None or divisor[0] != divisor[1] else (Size.of(0), divisor[0] - 1)
    if len(known) != len(parts):
        return None
    if function == "neg":
        ((low, high),) = known
        return -high, -low
    step = _INTERVALS.get(function)
    found: tuple[Size, Size] | None = known[0]
    for other in known[1:]:
        found = None if found is None or step is None else step(found, other)
    return None if step is None else found


def _times(left: tuple[Size, Size], right: tuple[Size, Size]) -> tuple[Size, Size] | None:
    """A product with a fixed factor that is not negative."""
    if left[0] == left[1]:
        left, right = right, left
    factor = right[0].constant
    if right[0] != right[1] or (factor is not None and factor < 0):
        return None
    return left[0] * right[0], left[1] * right[0]


def _over(left: tuple[Size, Size], right: tuple[Size, Size]) -> tuple[Size, Size] | None:
    """A quotient by a fixed divisor."""
    return None if right[0] != right[1] else (left[0] // right[0], left[1] // right[0])


_Interval = tuple[Size, Size]
_INTERVALS: dict[str, Callable[[_Interval, _Interval], _Interval | None]] = {
    "add": lambda left, right: (left[0] + right[0], left[1] + right[1]),
    "sub": lambda left, right: (left[0] - right[1], left[1] - right[0]),
    "mul": _times,
    "floordiv": _over,
    "maximum": lambda left, right: (Size.maximum(left[0], right[0]), Size.maximum(left[1], right[1])),
    "minimum": lambda left, right: (Size.minimum(left[0], right[0]), Size.minimum(left[1], right[1])),
}
