"""A block at a call: specialised to what it is given, built once, called with its sizes bound.

A block is built with symbols for its sizes, so that calls which differ only in sizes share it. What cannot stay a
symbol (edges, activations, words, the bound of a recursion) sets specialisations apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NoReturn

from archc.base.diagnostic import Fault
from archc.base.limits import LIMITS
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, Operand
from archc.elaborate.binding import (
    AxisList,
    Binding,
    Definition,
    Extent,
    Instance,
    Partial,
    Several,
    Sharing,
    Term,
    together,
)
from archc.elaborate.body import results_of
from archc.elaborate.constraint import Demand
from archc.elaborate.extent import axis_word, comparisons, condition_of, size_names, size_of
from archc.elaborate.frame import KEY, Frame, Freeze, Poisoned, Session
from archc.elaborate.ports import match_ports, port_axes, settle
from archc.elaborate.scope import Scope, stem
from archc.elaborate.specialise import Builder, default_hypers
from archc.elaborate.tuples import Shape
from archc.ir.graph import Block
from archc.ir.node import Call, Value
from archc.ir.state import has_state
from archc.syntax import tree
from archc.syntax.unparse import unparse
from archc.types.size import Condition, Size
from archc.types.tensor_type import Axis


def inline_block(
    partial: Partial, operands: Sequence[Operand], arguments: Arguments, scope: Scope, **settings: object
) -> tuple[Term, ...]:
    """Elaborate a block's body in place, on the operands as they are: an edge, or a call inside one.

    Its sizes are the caller's; `settings` override fields of its scope (`edging`, `lifted`).
    """
    definition = partial.definition
    with entered(scope.frame.session, definition, arguments.span):
        inner = Scope(scope.frame, definition.file, {}, is_inline=True, lifted=scope.lifted, edging=scope.edging)
        for name, value in settings.items():
            setattr(inner, name, value)
        default_hypers(definition, _refreshed(partial, operands), inner, arguments)
        matched = match_ports(definition, operands, inner, lambda _, size: size)
        settle(matched, scope.frame, {})
        given = {name for one in operands for name in one.term.names}
        own = frozenset(port_axes(definition, inner))
        inner.lifted = (inner.lifted | frozenset(matched.lifted)) - own
        inner.clash = (scope.frame.ports | given | inner.lifted) - own
        discharge(definition, inner, definition.tree.name, arguments.span)
        for port, operand in zip(definition.tree.inputs, operands, strict=True):
            inner.names[port.name] = operand.term
        return results_of(definition, inner)


def discharge(definition: Definition, scope: Scope, callee: str, span: Span) -> None:
    """Demand what a signature's `where` asks, of the sizes that its names have in a scope."""
    for expr in definition.tree.conditions:
        for compare, inner in comparisons(expr, scope):
            names = {name.text: axis_word(name, inner) for name in size_names(compare)}
            asked = "".join(names.get(word, word) for word in re.split(r"\b", unparse(compare)))
            given = {names[name.text]: size_of(name, inner) for name in size_names(compare)}
            holds = partial(_holds, compare, inner, names)
            origin = Demand(callee, span, asked=asked, given=tuple(given.items()), holds=holds)
            scope.frame.demand(condition_of(compare, inner), origin)


def _holds(compare: tree.Compare, scope: Scope, names: Mapping[str, str], numbers: Mapping[str, int]) -> bool:
    """Whether a comparison is true where its names are these numbers, by what the caller calls them."""
    given: dict[str, Binding] = {name: Extent(Size.of(numbers[word])) for name, word in names.items()}
    try:
        return condition_of(compare, scope.child(given)).evaluate({})
    except Fault:
        return False


def _refreshed(partial: Partial, operands: Sequence[Operand]) -> dict[str, Binding]:
    """Hyper-parameters with axes as the operands have them: `let K = conv(over = h)` may be used at several sizes."""
    # the first operand is what a block maps; a state that follows may have new units under the old name
    sizes = {axis.name: axis.size for one in reversed(operands) for axis in one.term.axes}

    def refresh(binding: Binding) -> Binding:
        if isinstance(binding, AxisList):
            return AxisList(tuple(Axis(a.name, sizes.get(a.name, a.size), a.twin) for a in binding.axes))
        return binding

    arrows = [hyper for hyper in partial.definition.tree.hypers if isinstance(hyper, tree.HyperArrow)]
    targets = {hyper.target for hyper in arrows}
    found = {name: one if name in targets else refresh(one) for name, one in partial.hypers}
    for arrow in arrows:
        sources, target = found.get(arrow.source), found.get(arrow.target)
        if isinstance(sources, AxisList) and isinstance(target, AxisList):
            kept = {axis.name: axis.size for axis in sources.axes}
            found[arrow.target] = AxisList(
                tuple(
                    replace(axis, size=kept[axis.name])
                    if axis.size.name.startswith("?") and axis.name in kept
                    else axis
                    for axis in target.axes
                )
            )
    return found


@contextmanager
def entered(session: Session, definition: Definition, span: Span) -> Iterator[None]:
    """Elaborate a definition's text for a call at `span`. Raises Fault E0907 where calls nest too deep."""
    if len(session.stack) >= LIMITS.block_depth:
        is_recursive = sum(one == definition for one, _ in session.stack) > 1
        help = f"see that the `if` in `{definition.tree.name}` ends it sooner" if is_recursive else ""
        raise Fault(faults.TooDeep(span, limit=LIMITS.block_depth, help=help))
    session.stack.append((definition, span))
    try:
        yield
    except Fault as fault:
        session.blame(fault.diagnostic)
        raise
    finally:
        session.stack.pop()


def call_block(
    partial: Partial, operands: Sequence[Operand], arguments: Arguments, scope: Scope, hint: str | None
) -> Binding:
    """Call a block: find or build its specialisation, bind its sizes, discharge its conditions."""
    frame, definition = scope.frame, partial.definition
    sharing = partial.sharing
    if sharing is not None and (scope.is_inline or sharing.place in frame.session.spread):
        with frame.using(sharing):
            return regrouped(definition, inline_block(partial, operands, arguments, scope))
    is_inside = frame.passes is not None and len(frame.open) > frame.passes.depth
    if scope.is_inline or (sharing is None and is_inside):
        # an instance belongs to the class of the loop that it is called in, which shared passes have one each of
        terms = inline_block(partial, operands, arguments, scope)
        return regrouped(definition, terms)
    values = [
        frame.materialise(one.term, port.name, one.span)
        for one, port in zip(operands, definition.tree.inputs, strict=False)
    ]
    placed = [
        Operand(_named(frame.read(value), one.term), one.span) for value, one in zip(values, operands, strict=True)
    ]
    frozen: dict[str, int] = {}
    while True:
        try:
            block, sizes = specialise(partial, placed, arguments, frame, frozen)
            break
        except Freeze as freeze:
            if freeze.frame.parent is not frame:
                raise
            for symbol in sorted(freeze.symbols):
                frozen[symbol] = frame.constant(
                    freeze.frame.caller[symbol], arguments.span, f"`{symbol}` of `{definition.tree.name}`"
                )
                frame.session.static.add((definition, symbol))
    counted = (Condition(">=", Size.symbol(s.name), Size.of(0)) for s in block.symbols if s.role == "hyper")
    for condition in (*block.facts, *(one.condition for one in block.requirements), *counted):
        given = tuple((symbol, frame.resolve(sizes[symbol])) for symbol in sorted(condition.symbols))
        origin = Demand(
            definition.tree.name, arguments.span, asked=str(condition), given=given, holds=condition.evaluate
        )
        frame.demand(condition.substitute(sizes), origin)
    word = stem(definition.tree.name, KEY)
    sharing = sharing or frame.common(arguments.span)
    bound = {symbol.name: frame.resolve(sizes[symbol.name]) for symbol in block.symbols}
    module = _instance(sharing, block, bound, arguments.span, frame, word)
    name = hint or word
    names = [name] if len(block.outputs) == 1 else [f"{name}_{output.name}" for output in block.outputs]
    results = tuple(
        Value(frame.allocate(name), output.type.substitute(sizes))
        for name, output in zip(names, block.outputs, strict=True)
    )
    frame.emit(
        Call(
            results=results,
            span=arguments.span,
            path=frame.path,
            block=block.name,
            module=module,
            operands=tuple(value.name for value in values),
            sizes=tuple(bound.items()),
        )
    )
    return regrouped(definition, tuple(frame.read(value) for value in results))


def _instance(
    sharing: Sharing | None, block: Block, sizes: Mapping[str, Size], span: Span, frame: Frame, word: str
) -> str:
    """The module of a call: an instance of its own, or the one that the first use of shared weights made.

    Raises Fault E0410, E0414 where one instance cannot serve both.
    """
    if sharing is None:
        return frame.allocate(word)
    if any(region.has_weights for region in frame.open[sharing.depth :]):
        _spread(sharing, block, "a shared block in a loop with weights for each pass", span, frame)
    loops = tuple(frame.open)
    if sharing.instance is None:
        sharing.instance = Instance(frame.allocate(sharing.name or word), block.name, sizes, loops)
    if (sharing.instance.block, sharing.instance.sizes) != (block.name, sizes):
        raise Fault(faults.SharedApart(span, name=sharing.name or word))
    if sharing.instance.loops != loops:
        _spread(sharing, block, "one shared block in different loops", span, frame)
    return sharing.instance.module


def _spread(sharing: Sharing, block: Block, what: str, span: Span, frame: Frame) -> NoReturn:
    """Start the block again with the shared one in place of its calls: its weights are then read in every loop.

    Raises Fault E0410 where it has a state, which one instance holds.
    """
    if sharing.place is None or any(has_state(node, frame.session.blocks) for node in block.region.nodes):
        raise Fault(faults.NotYet(span, what=what))
    if frame.failed:  # what is wrong is said, and would be said again
        raise Poisoned
    frame.session.spread.add(sharing.place)
    raise Freeze(frame, frozenset())


def regrouped(definition: Definition, terms: Sequence[Term]) -> Term | Several:
    """The results of a block, those of a tuple put together."""
    left = iter(terms)

    def build(shape: Shape) -> Term | Several:
        return next(left) if isinstance(shape, str) else Several(tuple(build(part) for part in shape))

    return together([build(shape) for shape in definition.flat.outputs])


def _named(read: Term, term: Term) -> Term:
    """A materialised value keeps the axis names that the call uses."""
    return term if term.is_plain and set(term.names) == set(read.names) else read


def specialise(
    partial: Partial, operands: Sequence[Operand], arguments: Arguments, caller: Frame, frozen: dict[str, int]
) -> tuple[Block, dict[str, Size]]:
    """The block for these operands and hyper-parameters, and its symbols in terms of the caller's sizes."""
    session, definition = caller.session, partial.definition
    builder = Builder(session, definition, frozen, caller)
    names = {hyper.name for hyper in definition.tree.hypers if isinstance(hyper, tree.Hyper)}
    given = {name: builder.hyper(name, binding) for name, binding in _refreshed(partial, operands).items()}
    for symbol in sorted(name for owner, name in session.static if owner == definition and name in names - set(frozen)):
        size = builder.sizes.get(symbol)
        if size is not None:
            frozen[symbol] = caller.constant(size, arguments.span, f"`{symbol}` of `{definition.tree.name}`")
            return specialise(partial, operands, arguments, caller, frozen)
    default_hypers(definition, given, builder.scope, arguments)
    builder.symbolise_defaults()
    with entered(session, definition, arguments.span):
        matched = match_ports(definition, operands, builder.scope, builder.axis)
    settle(matched, caller, builder.sizes)
    key = (
        definition,
        builder.key(),
        tuple((str(t.kind), t.names) for t in matched.types),
        tuple(sorted(frozen.items())),
    )
    if key not in session.keys:
        session.keys[key] = None
        session.building.add(key)
        try:
            with entered(session, definition, arguments.span):
                session.keys[key] = builder.build(matched)
        except Freeze:
            del session.keys[key]
            raise
        finally:
            session.building.discard(key)
    elif key in session.building:
        around = [one for one, _ in session.stack]
        circle = [*around[around.index(definition) :], definition]
        path = " -> ".join(one.tree.name for one in circle)
        raise Fault(faults.EndlessRecursion(arguments.span, name=definition.tree.name, chain=path))
    block = session.keys[key]
    if block is None:  # what is wrong with it is reported
        raise Poisoned
    return block, builder.sizes
