"""What loops carry from one pass to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archc.base.diagnostic import Diagnostic, Fault, Note
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import Term
from archc.elaborate.body import count_of, demand_no_axis, run
from archc.elaborate.constraint import Mismatch, shown
from archc.elaborate.evaluate import as_term, term
from archc.elaborate.extent import listed
from archc.elaborate.frame import Freeze, Poisoned, Session
from archc.elaborate.scope import Scope, plain, stem
from archc.formula.tree import Literal, Read
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


def starts(expr: Looping, scope: Scope) -> tuple[list[Term], tuple[str, ...], list[Value]]:
    """What the carries start from: as terms, as values, and as the inputs of the body.

    A carry that starts from a number is as wide as what a pass gives back; another one gains the lifted axes that the
    passes bring in, which the text does not speak of.
    """
    frame = scope.frame
    check_names(expr, scope)
    start = [start_of(carry, scope) for carry in expr.carries]
    wider = frame.session.widened.get(frame.session.place(expr.span), {})
    initial, inputs = [], []
    for carry, one in zip(expr.carries, start, strict=True):
        gained = [axis for axis in wider.get(carry.name, ()) if axis not in one.names]
        gained = [axis for axis in gained if axis in scope.lifted or _is_number(one, scope)]
        axes = (*(Axis(name, frame.solver.unknown(name)) for name in gained), *one.axes)
        formula, kind = one.formula, one.kind
        if _is_number(one, scope) and carry.name in wider:
            kind = REAL
            formula = Literal(float(formula.value)) if isinstance(formula, Literal) else formula
        value = frame.materialise(Term(formula, axes, kind), carry.name, expr.span, axes if gained else None, kind)
        initial.append(value.name)
        # a search may pass through what is no distribution
        kind = plain(kind) if isinstance(expr, tree.Fixpoint) else kind
        inputs.append(carry_of(carry, kind, value.type.axes, expr, scope))
        if _is_number(one, scope):
            frame.numbers[inputs[-1].name] = (frame.session.place(expr.span), carry.name)
    return start, tuple(initial), inputs


def _is_number(start: Term, scope: Scope) -> bool:
    """Whether a carry starts from a number, or from the carry of a loop around that does."""
    formula = start.formula
    return isinstance(formula, Literal) or (isinstance(formula, Read) and formula.value in scope.frame.numbers)


def passed(
    expr: Looping, scope: Scope, start: Sequence[Term], inputs: Sequence[Value], hints: Sequence[str] = ()
) -> list[str]:
    """Run the body; the values that the carries have after it, whose parts are called after `hints`. Starts the block
    again where carries are to be wider, or plain numbers."""
    found = run(expr.body, scope, list(hints))
    check_carries(expr, len(found))
    spans = [result.span for result in per_result(expr.body, len(found))]
    terms = [as_term(one, span) for one, span in zip(found, spans, strict=True)]
    _widen(expr, scope, start, inputs, terms)
    keep_kinds(expr, terms, inputs, scope)
    return [
        handed_on(one, value.type, stem(carry.name), span, scope)
        for one, value, carry, span in zip(terms, inputs, expr.carries, spans, strict=True)
    ]


def _widen(expr: Looping, scope: Scope, start: Sequence[Term], inputs: Sequence[Value], terms: Sequence[Term]) -> None:
    """Start the block again with wider carries where the passes give back more axes than a carry has, and may.

    Raises Fault E0301, E0314 where one lacks an axis along which the passes read it.
    """
    frame, place = scope.frame, scope.frame.session.place(expr.span)
    wider = frame.session.widened.setdefault(place, {})
    known, lacking = dict(wider), list[Diagnostic]()
    for carry, one, begin, value in zip(expr.carries, terms, start, inputs, strict=True):
        missed = list(_missed(place, carry.name, value, one, frame.session))
        lacking += missed
        extra = [axis for axis in one.names if axis not in value.type.names]
        may = all(axis in scope.lifted or _is_number(begin, scope) for axis in extra)
        turns = _is_number(begin, scope) and one.kind.is_real and not value.type.kind.is_real
        if not missed and may and (extra or turns):
            every = (*known.get(carry.name, ()), *extra)
            wider[carry.name] = tuple(dict.fromkeys((*(axis for axis in one.names if axis in every), *every)))
    if wider != known:
        if frame.failed:  # what is wrong is said, and would be said again
            raise Poisoned
        raise Freeze(frame, frozenset())
    if lacking:
        raise Fault(lacking[0])


def _missed(place: tuple[Span, ...], name: str, carry: Value, found: Term, session: Session) -> Iterator[Diagnostic]:
    """What to say of the axes along which the passes read a carry, and which they give back without."""
    for axis in carry.type.names:
        diagnostic = session.missed.get((place, name, axis))
        if diagnostic is not None and axis not in found.names:
            has = listed(found.names) or "none"
            diagnostic.help = f"a carry that starts from a number has the axes that a pass gives back: {has}"
            yield diagnostic
