"""What may be called, and which names of a text that is not evaluated mean nothing.

A fault ends the evaluation of what it stands in, so that what follows there, such as the later stages of a pipe or the
edge of a layer, is never evaluated; nor is the other side of a static `if`. Their names are looked at all the same:
they are wrong whatever the fault is, and whatever the choice.
"""

from __future__ import annotations

from collections.abc import Iterator

from archc.base.diagnostic import Diagnostic, Fault
from archc.elaborate import faults
from archc.elaborate.arguments import strange
from archc.elaborate.evaluate import TRAINING
from archc.elaborate.extent import unknown_name
from archc.elaborate.frame import Poisoned
from archc.elaborate.scope import Scope
from archc.elaborate.words import LAYER, OPTIONS, WRITTEN
from archc.ops.registries import OPERATIONS, POINTWISE, REDUCTIONS
from archc.syntax import tree
from archc.syntax.nesting import children

_APPLIED = ("edge", "neuron")
"""The options of a layer that are functions; the others are words."""


def unknown_callee(name: tree.Name, scope: Scope) -> faults.UnknownName:
    """The diagnostic for the name of a call that means nothing."""
    known = (*POINTWISE.words, *OPERATIONS.words, *REDUCTIONS.words, *WRITTEN)
    return unknown_name(name, scope, known, help="`archc list ops` and `archc list std` show all there is")


def _unknown_edge(name: tree.Name, scope: Scope) -> faults.UnknownName:
    return unknown_name(name, scope, POINTWISE.words)


def overlooked(statement: tree.Tree, scope: Scope) -> Iterator[Diagnostic]:
    """What is wrong with the names that a statement calls and computes with, and with those of its arguments, as seen
    from its text."""
    bound = set(_bound(statement))
    values = (name for name in _values(statement) if name.text not in scope.file.axes)
    groups = ((_called(statement), unknown_callee), (_edges(statement), _unknown_edge), (values, unknown_name))
    for names, unknown in groups:
        for name in names:
            if name.text not in bound and not _is_known(name, scope):
                try:
                    yield unknown(name, scope)
                except Poisoned:  # a file that it may be from has faults of its own
                    continue
    for call in _calls(statement):
        known = _arguments(call, scope) if call.function.text not in bound else None
        if known is not None:
            named = {one.name: one for one in call.arguments if one.name is not None}
            yield from strange(call.function.text, named, known)


def _is_known(name: tree.Name, scope: Scope) -> bool:
    built_in = (POINTWISE, OPERATIONS, REDUCTIONS, WRITTEN, (TRAINING,))
    if any(name.text in words for words in built_in) or scope.file.find(name.parts) is not None:
        return True
    try:
        return scope.find(name.text) is not None
    except (Fault, Poisoned):
        return True


def _arguments(call: tree.Call, scope: Scope) -> tuple[str, ...] | None:
    """The names of what a call may be given; None where only its evaluation tells."""
    word = call.function.text
    try:
        if scope.find(word) is not None:
            return None
    except (Fault, Poisoned):
        return None
    definition = scope.file.find(call.function.parts)
    if definition is not None:
        hypers = (hyper.name for hyper in definition.tree.hypers if isinstance(hyper, tree.Hyper))
        return None if definition.is_faulty else (*hypers, *definition.flat.inputs)
    return OPTIONS if word == LAYER else None


def _bound(node: tree.Tree) -> Iterator[str]:
    """The names that bodies inside a statement define."""
    match node:
        case tree.Let(names=names) | tree.Declaration(names=names):
            yield from names
        case tree.Share(name=name) | tree.Carry(name=name):
            yield name
        case tree.Repeat(label=str(label)):
            yield label
        case _:
            pass
    for child in children(node):
        yield from _bound(child)


def _calls(node: tree.Tree) -> Iterator[tree.Call]:
    """The calls of a statement; the words of a solver, a start or a layer's wiring are no functions."""
    if isinstance(node, tree.Call):
        yield node
    for child in children(node):
        is_word = isinstance(child, tree.Argument) and child.name in OPTIONS and child.name not in _APPLIED
        is_start = isinstance(node, tree.Declaration) and child is node.initial
        is_solver = isinstance(node, tree.Scan | tree.Fixpoint) and child is node.solver
        if not (is_word or is_start or is_solver):
            yield from _calls(child)


def _called(statement: tree.Tree) -> Iterator[tree.Name]:
    """The names that a statement calls or pipes through."""
    for call in _calls(statement):
        yield call.function
    for node in _pipes(statement):
        yield from (stage for stage in node.stages[1:] if isinstance(stage, tree.Name))


def _values(node: tree.Tree) -> Iterator[tree.Name]:
    """The names that a text computes with: what only a value, or a position on an axis, may be."""
    match node:
        case tree.Sum(terms=parts) | tree.Product(factors=parts) | tree.Body(results=parts):
            found = parts
        case tree.Power(base=base, exponent=exponent):
            found = (base, exponent)
        case tree.Negate(operand=operand):
            found = (operand,)
        case tree.Let(value=value) | tree.Emit(value=value) | tree.Index(value=value) | tree.Reduction(body=value):
            found = (value,)
        case tree.Pipe(stages=stages):
            found = stages[:1]
        case tree.Carry(initial=tree.Name() as initial):
            found = (initial,)
        case tree.Call(function=function, arguments=arguments) if function.text != "size":
            found = tuple(one.value for one in arguments if one.name is None)
        case _:
            found = ()
    yield from (part for part in found if isinstance(part, tree.Name) and len(part.parts) == 1)
    for child in children(node):
        is_edge = isinstance(child, tree.Argument) and child.name is not None
        if not is_edge and not isinstance(child, tree.AxisType | tree.AxisSize):
            yield from _values(child)


def _edges(statement: tree.Tree) -> Iterator[tree.Name]:
    """The names that a statement puts on the edges and units of a layer."""
    for call in _calls(statement):
        if call.function.text == LAYER:
            for argument in call.arguments:
                yield from _parts(argument.value) if argument.name in _APPLIED else ()


def _parts(edge: tree.Tree) -> Iterator[tree.Name]:
    """The names that an edge is made of."""
    match edge:
        case tree.Name():
            yield edge
        case tree.Sum() | tree.Product() | tree.Compose() | tree.Negate():
            for child in children(edge):
                yield from _parts(child)
        case _:
            pass


def _pipes(node: tree.Tree) -> Iterator[tree.Pipe]:
    if isinstance(node, tree.Pipe):
        yield node
    for child in children(node):
        yield from _pipes(child)
