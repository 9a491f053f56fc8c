"""What loops carry from one pass to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archc.base.diagnostic import Fault, Note
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import Term
from archc.elaborate.body import count_of, demand_no_axis
from archc.elaborate.constraint import Mismatch, shown
from archc.elaborate.evaluate import term
from archc.elaborate.frame import Freeze, Poisoned
from archc.elaborate.scope import Scope, plain
from archc.ir.node import Value
from archc.syntax import tree
from archc.types.tensor_type import INT, REAL, Axis, Kind, TensorType

Looping = tree.Repeat | tree.Scan | tree.Fixpoint


def check_names(expr: Looping, scope: Scope) -> None:
    """Each carry, and the number of the pass, has a name of its own, and none that of an axis of the signature.

    Raises Fault E0403, E0304.
    """
    places = [(carry.name, carry.span.word(carry.name)) for carry in expr.carries]
    if isinstance(expr, tree.Repeat) and expr.label is not None:
        label = replace(expr.span, start=expr.count.span.end).word(expr.label)
        places.insert(0, (expr.label, label))
    first: dict[str, Span] = {}
    for name, span in places:
        if name in first:
            raise Fault(faults.RepeatedName(span, name=name, notes=[Note(first[name], "the first one")]))
        first[name] = span
        demand_no_axis(name, span, scope)


def start_of(carry: tree.Carry, scope: Scope) -> Term:
    """What a carry starts from: the value of its own name where nothing else is written."""
    return term(carry.initial or tree.Name(span=carry.span, parts=(carry.name,)), scope)


def carry_of(carry: tree.Carry, kind: Kind, axes: tuple[Axis, ...], expr: Looping, scope: Scope) -> Value:
    """What a pass starts from, as an input of the body: of the kind that the start has, or a plain number where a pass
    was seen to give back nothing else."""
    frame = scope.frame
    note = frame.session.loosened.get((frame.session.place(expr.span), carry.name))
    value = frame.input(frame.allocate(carry.name), TensorType(plain(kind) if note else kind, axes), carry.span)
    if note:
        frame.loosened[value.name] = note
    return value


def keep_kinds(expr: Looping, found: Sequence[Term], carries: Sequence[Value], scope: Scope) -> None:
    """Start the block again where a pass gives back plain numbers for what starts as a pointer or a distribution."""
    frame, place = scope.frame, scope.frame.session.place(expr.span)
    before = len(frame.session.loosened)
    spans = [result.span for result in per_result(expr.body, len(found))]
    for carry, one, value, span in zip(expr.carries, found, carries, spans, strict=True):
        kind = value.type.kind
        if plain(kind) != kind and plain(one.kind) in (plain(kind), INT) and not frame.is_kind(one.kind, kind):
            label = f"`{carry.name}` starts as {kind} and comes back as {one.kind}"
            frame.session.loosened[place, carry.name] = Note(span, label)
    if len(frame.session.loosened) > before:
        if frame.failed:  # what is wrong is said, and would be said again
            raise Poisoned
        raise Freeze(frame, frozenset())


def check_carries(expr: Looping, given: int) -> None:
    """A pass gives back what it was given. Raises Fault E0342."""
    if given != len(expr.carries):
        carries = Note(expr.carries[0].span.to(expr.carries[-1].span), "what each pass starts from")
        results = expr.body.results[0].span.to(expr.body.results[-1].span)
        raise Fault(
            faults.WrongResults(
                results, what="the loop", given=count_of(given), expected=len(expr.carries), notes=[carries]
            )
        )


def per_result(body: tree.Body, count: int) -> Sequence[tree.Expr]:
    return body.results if len(body.results) == count else [body.results[0]] * count


def handed_on(found: Term, type: TensorType, name: str, span: Span, scope: Scope) -> str:
    """A loop's result as the value that the next pass starts from. Raises Fault E0340 where its type changed."""
    same = set(found.names) == set(type.names)
    for axis in type.axes if same else ():
        size = found.size(axis.name)
        assert size is not None
        same = same and scope.frame.facts.equal(scope.frame.resolve(size), scope.frame.resolve(axis.size)) is not False
    kinds = plain(found.kind) == plain(type.kind) or (plain(type.kind) == REAL and found.kind.is_integer)
    if not same or not kinds:
        after = TensorType(found.kind, tuple(Axis(a.name, scope.frame.resolve(a.size)) for a in found.axes))
        help = "a pass ends with the kind, the axes and the sizes that it starts with"
        raise Fault(faults.CarryChanges(span, name=name, before=shown(type), after=shown(after), help=help))
    for axis in type.axes:
        size = found.size(axis.name)
        assert size is not None
        scope.frame.equate(size, axis.size, Mismatch(axis.name, span))
    kind = found.kind if plain(found.kind) == plain(type.kind) else type.kind
    return scope.frame.materialise(found, name, span, type.axes, kind).name
