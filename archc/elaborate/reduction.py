"""Reductions: `sum j, m where condition: body`, and the same as a call, `sum(x, over = j)`."""

from __future__ import annotations

from collections.abc import Sequence

from archc.base.diagnostic import Fault
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import Binding, BoundAxis, Term
from archc.elaborate.constraint import Mismatch
from archc.elaborate.evaluate import COMPARE, PAIRS, evaluate, term
from archc.elaborate.extent import expand, listed, positive, size_of
from archc.elaborate.scope import Scope, plain
from archc.formula.tree import Formula, Position, Read, Reduce, walk
from archc.syntax import tree
from archc.types.tensor_type import BOOL, REAL, Axis, Kind

SIZED = "say where it ends, as in `sum {axis} < 64: ...`"


@evaluate.register
def _(expr: tree.Reduction, scope: Scope, hint: str | None = None) -> Binding:
    frame = scope.frame
    inner = scope.child()
    inner.in_reduction = True
    bound: list[tuple[Axis, Span]] = []
    for entry in expr.axes:
        name = entry.name
        for axis, own in expand(name, scope):
            if any(axis == one.name for one, _ in bound):
                raise Fault(faults.DuplicateAxis(entry.span, axis=axis, help="name it once"))
            size = None if entry.size is None else positive(size_of(entry.size, own), entry.size.span, frame.values)
            new = Axis(axis, frame.solver.unknown(axis) if size is None else size)
            if scope.hides(name, axis):
                inner.names[axis] = BoundAxis(new)
            if len(name.parts) == 1 and scope.names_axes(name.text) is None:
                inner.names[name.text] = BoundAxis(new)
            bound.append((new, name.span))
            frame.mark_widths([new], name.span, SIZED)
    inner.bind(axis for axis, _ in bound)
    condition = None
    if expr.condition is not None:
        free = inner.child()
        free.is_free = True
        condition = term(expr.condition, free)
        if condition.kind != BOOL:
            raise Fault(
                faults.KindMismatch(
                    expr.condition.span, what="`where`", expected="a truth value", given=condition.kind, help=COMPARE
                )
            )
    body = term(expr.body, inner)
    return reduce_over(expr.kind, bound, body, condition, scope, expr.span)


def is_read_along(formula: Formula, axis: str) -> bool:
    """Whether a formula reads a value along an axis as it is, so that the axis is as long as that value's."""
    reads = (part for part in walk(formula) if isinstance(part, Read) and part.outside is None)
    return any(Position(axis) in read.indices for read in reads)


def reduce_over(
    kind: str, bound: Sequence[tuple[Axis, Span]], body: Term, condition: Term | None, scope: Scope, span: Span
) -> Term:
    """Reduce a term over axes; their sizes are equated with the body's.

    Raises Fault E0314 where nothing under the reduction has an axis, E0330 for kinds that it does not take.
    """
    parts = [body] if condition is None else [body, condition]
    for axis, place in bound:
        sizes = [size for part in parts if (size := part.size(axis.name)) is not None]
        if not sizes:
            label = f"the body has {_axes(body)}"
            help = f"reduce over one of {listed(body.names)}" if body.names else "leave the reduction out"
            fault = faults.AbsentAxis(place, kind=kind, axis=axis.name, label=label, help=help)
            raise scope.frame.lacking(fault, axis.name, parts)
        for size in sizes:
            scope.frame.equate(size, axis.size, Mismatch(axis.name, place))
    names = {axis.name for axis, _ in bound}
    merged = {axis.name: axis for part in reversed(parts) for axis in part.axes}
    order = dict.fromkeys((*body.names, *merged))
    axes = tuple(merged[name] for name in order if name not in names)
    formula = Reduce(
        kind, tuple(axis for axis, _ in bound), body.formula, None if condition is None else condition.formula
    )
    return Term(formula, axes, _kind(kind, body, span), kind)


def _axes(body: Term) -> str:
    return "[" + ", ".join(body.names) + "]"


def _kind(kind: str, body: Term, span: Span) -> Kind:
    if kind in ("any", "all"):
        if body.kind != BOOL:
            raise Fault(faults.KindMismatch(span, what=f"`{kind}`", expected="truth values", given=body.kind))
        return BOOL
    if body.kind.word == "complex":
        raise Fault(faults.KindMismatch(span, what=f"`{kind}`", expected="real numbers", given=body.kind, help=PAIRS))
    if body.kind == BOOL:
        raise Fault(
            faults.KindMismatch(
                span, what=f"`{kind}`", expected="numbers", given=BOOL, help="write `where(condition, 1, 0)`"
            )
        )
    return REAL if kind in ("mean", "logsumexp") else plain(body.kind)
