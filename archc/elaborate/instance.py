"""A block at a call: specialised to what it is given, built once, called with its sizes bound.

A block is built with symbols for its sizes, so that calls which differ only in sizes share it. What cannot stay a
symbol (edges, activations, words, the bound of a recursion) sets specialisations apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, count

from archc.base.diagnostic import Fault, Note
from archc.base.limits import LIMITS
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, Operand, hyper_kind, hyper_value
from archc.elaborate.binding import (
    Activation,
    AxisList,
    Binding,
    BoundAxis,
    Chain,
    Definition,
    Edge,
    Extent,
    Flag,
    Partial,
    Scalar,
    Scaled,
    Several,
    Term,
    Tied,
    Together,
    Word,
)
from archc.elaborate.body import results_of
from archc.elaborate.claims import claims_of
from archc.elaborate.constraint import Demand, Mismatch
from archc.elaborate.extent import (
    SECOND_AXIS,
    conditions_of,
    expand,
    kind_of,
    positive,
    size_names,
    size_of,
    unknown_axis,
    written_size,
)
from archc.elaborate.scope import KEY, Frame, Freeze, Poisoned, Scope, Session, stem
from archc.elaborate.settle import apart, settled
from archc.ir.graph import Block, Claim, Symbol
from archc.ir.node import Call, Region, Value
from archc.syntax import tree
from archc.syntax.unparse import unparse
from archc.types.size import Condition, Facts, Size
from archc.types.solve import OPEN
from archc.types.tensor_type import Axis, Kind, TensorType


@dataclass
class Matched:
    """Operands matched to ports: each port's type inside the block, and the sizes that must agree at the call."""

    types: list[TensorType] = field(default_factory=list)
    sizes: dict[str, Size] = field(default_factory=dict)
    lifted: dict[str, Size] = field(default_factory=dict)
    equal: list[tuple[str, Size, Size, Operand]] = field(default_factory=list)


Entry = tuple[tree.AxisType, str, Scope]


def match_ports(
    definition: Definition, operands: Sequence[Operand], scope: Scope, inside: Callable[[str, Size], Size]
) -> Matched:
    """Match operands to ports by axis names; axes that a port does not have are lifted.

    `inside` gives the size that an axis has inside the block, from the size it has at the call. Binds the axes of the
    signature in `scope`. Raises Fault E0203, E0301, E0330.
    """
    ports = definition.tree.inputs
    if len(operands) != len(ports):
        span = operands[0].span if operands else definition.tree.head
        expected = f"{len(ports)} operand{'s' if len(ports) != 1 else ''}"
        raise Fault(faults.WrongArity(span, callee=definition.tree.name, expected=expected, given=len(operands)))
    matched = Matched()
    entries = [_entries(port, scope) for port in ports]
    for port, own, operand in zip(ports, entries, operands, strict=True):
        _bind_axes(definition, port, own, operand, scope, inside, matched)
    for port, own, operand in zip(ports, entries, operands, strict=True):
        axes = _declared(own, operand, scope, matched)
        lifted = []
        for axis in operand.term.axes:
            if axis.name not in axes:
                if axis.name not in matched.lifted:
                    matched.lifted[axis.name] = inside(axis.name, axis.size)
                matched.equal.append((axis.name, matched.lifted[axis.name], axis.size, operand))
                lifted.append(Axis(axis.name, matched.lifted[axis.name], axis.twin))
        kind = _port_kind(port, operand, scope, matched)
        matched.types.append(TensorType(kind, (*lifted, *axes.values())))
    return matched


def _entries(port: tree.Port, scope: Scope) -> list[Entry]:
    """The axes of a port: each with the text that names it, and the scope in which its size is read."""
    return [(entry, name, inner) for entry in _axis_types(port) for name, inner in expand(entry.name, scope)]


def _bind_axes(
    definition: Definition,
    port: tree.Port,
    own: list[Entry],
    operand: Operand,
    scope: Scope,
    inside: Callable[[str, Size], Size],
    matched: Matched,
) -> None:
    """Bind the axes that a port names without a size (or with a new name for it) to what the operand has."""
    for entry, name, inner in own:
        actual = operand.term.size(name)
        if actual is None:
            what = f"the operand `{port.name}` of `{definition.tree.name}`"
            fault = unknown_axis(entry.name, operand.term.names, what)
            fault.span, fault.notes = operand.span, (Note(entry.span, "asked for here"),)
            raise Fault(fault)
        if written_size(entry) is None and name not in matched.sizes:
            given = _hyper_size(scope.names_axes(entry.name.parts[-1]), name)
            matched.sizes[name] = given or inside(name, actual)
            if given is None:
                scope.names[name] = BoundAxis(Axis(name, matched.sizes[name], entry.twin))
        if isinstance(entry.size, tree.Name) and inner.find(entry.size.text) is None:
            scope.names[entry.size.text] = Extent(inside(entry.size.text, actual))


def _declared(own: list[Entry], operand: Operand, scope: Scope, matched: Matched) -> dict[str, Axis]:
    """A port's axes with their sizes inside the block; those of the operand must agree."""
    axes: dict[str, Axis] = {}
    for entry, name, inner in own:
        if name in axes:
            raise Fault(faults.DuplicateAxis(entry.span, axis=name, help=SECOND_AXIS))
        written = written_size(entry)
        size = matched.sizes[name] if written is None else positive(size_of(written, inner), written.span, {})
        axes[name] = Axis(name, size, entry.twin)
        matched.equal.append((name, size, operand.term.size(name) or size, operand))
        if scope.names_axes(entry.name.parts[-1]) is None:
            scope.names.setdefault(name, BoundAxis(axes[name]))
    return axes


def port_axes(definition: Definition, scope: Scope) -> set[str]:
    """Names of the axes that the input ports speak of."""
    return {
        name for port in definition.tree.inputs for entry in _axis_types(port) for name, _ in expand(entry.name, scope)
    }


def _axis_types(port: tree.Port) -> tuple[tree.AxisType, ...]:
    if isinstance(port.type, tree.TupleType):
        raise Fault(faults.NotYet(port.type.span, what="a tuple type"))
    return port.type.axes


def _hyper_size(found: AxisList | BoundAxis | None, name: str) -> Size | None:
    if isinstance(found, AxisList):
        return next((axis.size for axis in found.axes if axis.name == name), None)
    return None if found is None else found.axis.size


def _port_kind(port: tree.Port, operand: Operand, scope: Scope, matched: Matched) -> Kind:
    """The kind a port declares, checked against what it is given."""
    assert isinstance(port.type, tree.Type)
    kind, given = kind_of(port.type, scope), operand.term.kind
    fits = {
        "real": given.word != "bool" and given.word != "complex",
        "int": given.is_integer,
        "index": given.word == "index",
        "point": given.is_real,
    }.get(kind.word, kind.word == given.word)
    if not fits:
        note = Note(port.span, "declared here")
        raise Fault(
            faults.KindMismatch(operand.span, what=f"port `{port.name}`", expected=kind, given=given, notes=[note])
        )
    if kind.word == "index" and kind.size is not None and given.size is not None:
        matched.equal.append((kind.axis or port.name, kind.size, given.size, operand))
    return kind


def default_hypers(definition: Definition, given: dict[str, Binding], scope: Scope, arguments: Arguments) -> None:
    """Bind the hyper-parameters in the block's scope: those given, then defaults, which may use earlier ones.

    Raises Fault E0205 for one that has neither.
    """
    for hyper in definition.tree.hypers:
        if isinstance(hyper, tree.HyperArrow):
            for name in (hyper.source, hyper.target):
                if name not in given:
                    raise Fault(
                        faults.MissingArgument(
                            arguments.span,
                            callee=definition.tree.name,
                            name=f"{hyper.source} -> {hyper.target}",
                            help="say which axes it maps, as in `d -> h: 64`",
                        )
                    )
                scope.names[name] = given[name]
        elif hyper.name in given:
            scope.names[hyper.name] = given[hyper.name]
        elif hyper.default is not None:
            scope.names[hyper.name] = hyper_value(hyper, hyper.default, arguments, scope)
        else:
            raise Fault(
                faults.MissingArgument(
                    arguments.span,
                    callee=definition.tree.name,
                    name=hyper.name,
                    help=f"write `{hyper.name} = ...`",
                    notes=(Note(hyper.span, "declared here without a default"),),
                )
            )


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
        inner.clash = (frozenset(given) | inner.lifted) - own
        discharge(definition, inner, definition.tree.name, arguments.span)
        for port, operand in zip(definition.tree.inputs, operands, strict=True):
            inner.names[port.name] = operand.term
        return results_of(definition, inner)


def discharge(definition: Definition, scope: Scope, callee: str, span: Span) -> None:
    """Demand what a signature's `where` asks, of the sizes that its names have in a scope."""
    for expr in definition.tree.conditions:
        names = dict.fromkeys(size_names(expr))
        for condition in conditions_of(expr, scope):
            given = tuple((name.text, size_of(name, scope)) for name in names)
            scope.frame.demand(condition, Demand(callee, span, asked=unparse(expr), given=given))


def _refreshed(partial: Partial, operands: Sequence[Operand]) -> dict[str, Binding]:
    """Hyper-parameters with axes as the operands have them: `let K = conv(over = h)` may be used at several sizes."""
    sizes = {axis.name: axis.size for one in operands for axis in one.term.axes}

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


def settle(matched: Matched, frame: Frame, sizes: dict[str, Size]) -> None:
    """Equate the sizes of the ports with those of the operands, in the caller's frame."""
    for axis, inside, actual, operand in matched.equal:
        frame.equate(actual, inside.substitute(sizes), Mismatch(axis, operand.span))


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
    if scope.is_inline:
        terms = inline_block(partial, operands, arguments, scope)
        return terms[0] if len(terms) == 1 else Several(terms)
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
        origin = Demand(definition.tree.name, arguments.span, asked=str(condition), given=given)
        frame.demand(condition.substitute(sizes), origin)
    module = partial.sharing.module if partial.sharing and partial.sharing.module else None
    if module is None:
        module = frame.allocate(partial.sharing.name if partial.sharing else stem(definition.tree.name, KEY))
    if partial.sharing:
        if partial.sharing.block not in (None, block.name):
            raise Fault(faults.NotYet(arguments.span, what="one shared block on values with different lifted axes"))
        partial.sharing.module, partial.sharing.block = module, block.name
    name = hint or stem(definition.tree.name, KEY)
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
            sizes=tuple((symbol.name, frame.resolve(sizes[symbol.name])) for symbol in block.symbols),
        )
    )
    terms = tuple(frame.read(value) for value in results)
    return terms[0] if len(terms) == 1 else Several(terms)


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


class Builder:
    """Builds one specialised block. `sizes` maps its symbols to sizes of the caller."""

    def __init__(self, session: Session, definition: Definition, frozen: dict[str, int], caller: Frame | None) -> None:
        self.session = session
        self.definition = definition
        self.frozen = frozen
        self.caller = caller
        self.sizes: dict[str, Size] = {}
        self.symbols: dict[str, Symbol] = {}
        self.minimum: dict[str, int] = {}
        values = caller.values if caller else {}
        path = (*(caller.path if caller else ()), definition.tree.name)
        self.frame = Frame(session, definition, Facts(()), values, path)
        self.frame.parent, self.frame.caller = caller, self.sizes
        self.scope = Scope(self.frame, definition.file, {})

    @property
    def values(self) -> dict[str, int]:
        """What each symbol is at this call, where the caller knows; for a root, its defaults."""
        outer = self.caller.values if self.caller else {}
        return {name: size.evaluate(outer) for name, size in self.sizes.items() if size.symbols <= set(outer)}

    def symbol(self, name: str, role: str, actual: Size, default: int | None = None) -> Size:
        """A symbol of the block for a size of the caller; frozen ones are their number."""
        names = chain((name, f"{name}_out"), (f"{name}_{number}" for number in count(2)))
        name = next(one for one in names if one not in self.sizes)
        self.sizes[name] = actual
        if name in self.frozen:
            return Size.of(self.frozen[name])
        self.symbols[name] = Symbol(name, role, default)
        self.minimum[name] = 1 if role == "axis" else 0
        return Size.symbol(name)

    def axis(self, name: str, actual: Size) -> Size:
        """The size of a port's axis inside the block."""
        return self.symbol(name, "axis", actual)

    def hyper(self, name: str, binding: Binding) -> Binding:
        """A hyper-parameter as it is inside the block: sizes become symbols."""
        match binding:
            case Extent(size=size):
                declared = {one.name: one for one in self.definition.tree.hypers if isinstance(one, tree.Hyper)}
                default = declared[name].default
                number = default.value if isinstance(default, tree.Number) else None
                if self.caller is None:
                    number = size.constant
                return Extent(self.symbol(name, "hyper", size, number if isinstance(number, int) else None))
            case AxisList(axes=axes):
                return AxisList(tuple(Axis(a.name, self.symbol(a.name, "axis", a.size), a.twin) for a in axes))
            case _:
                return self._constant(binding)

    def _constant(self, binding: Binding) -> Binding:
        """An edge or block passed down carries numbers: its sizes are the caller's and mean nothing here."""
        match binding:
            case Extent(size=size):
                return Extent(self._number(size))
            case Partial() | Activation() | Chain() | Together() | Scaled() | Tied():
                return self._edge(binding)
            case _:
                return binding

    def _number(self, size: Size) -> Size:
        assert self.caller is not None
        return Size.of(self.caller.constant(size, self.definition.tree.head, "a size inside an edge"))

    def _edge(self, edge: Edge) -> Edge:
        match edge:
            case Partial(hypers=hypers):
                return replace(edge, hypers=tuple((name, self._constant(one)) for name, one in hypers))
            case Chain(stages=stages):
                return Chain(tuple(map(self._edge, stages)))
            case Together(edges=edges, signs=signs):
                return Together(tuple(map(self._edge, edges)), signs)
            case Scaled(factor=factor, edge=inner):
                return Scaled(factor, self._edge(inner))
            case Tied(edge=inner, groups=groups):
                return Tied(self._edge(inner), self._number(groups))
            case _:
                return edge

    def symbolise_defaults(self) -> None:
        """Whole-number defaults that were not given are symbols too, so that the class has them as arguments."""
        for hyper in self.definition.tree.hypers:
            if isinstance(hyper, tree.Hyper) and hyper.name not in self.sizes and hyper_kind(hyper) == "int":
                bound = self.scope.names.get(hyper.name)
                if isinstance(bound, Extent):
                    actual = bound.size.substitute(self.sizes)
                    default = (actual if self.caller is None else bound.size).constant
                    self.scope.names[hyper.name] = Extent(self.symbol(hyper.name, "hyper", actual, default))

    def key(self) -> object:
        """What sets this specialisation apart, sizes aside."""
        return tuple((hyper, _key(self.scope.names.get(hyper))) for hyper in sorted(self.scope.names))

    def facts(self) -> tuple[Condition, ...]:
        """The conditions that the signature promises."""
        return tuple(one for expr in self.definition.tree.conditions for one in conditions_of(expr, self.scope))

    def keep_promises(self) -> None:
        """Nobody calls a net: what it promises of its hyper-parameters alone is checked here and by its class."""
        for expr in self.definition.tree.conditions:
            for condition in conditions_of(expr, self.scope):
                if condition.symbols and condition.symbols <= set(self.frame.values):
                    self.frame.demand(condition, Demand(self.definition.tree.name, expr.span))

    def build(self, matched: Matched) -> Block | None:
        """Elaborate the body; None where it has errors (they are reported)."""
        definition, frame, scope = self.definition, self.frame, self.scope
        claims = claims_of(definition, scope, self.session.findings)
        self.minimum.update((name, 1) for name in self.measured())
        frame.facts, frame.values = Facts((), self.minimum), self.values
        facts = self.facts()
        if definition.tree.role == "net":
            self.keep_promises()
        frame.learn(facts)
        lifted = frozenset(matched.lifted)
        hyper_axes = {a.name for b in scope.names.values() if isinstance(b, AxisList) for a in b.axes}
        named = {*self.sizes, *hyper_axes, *(name for type in matched.types for name in type.names)}
        if definition.tree.role != "net":  # nobody but the user calls a net's ports by their names
            frame.reserve(named)
        declared = {name for name, bound in scope.names.items() if isinstance(bound, BoundAxis)} - hyper_axes
        scope.lifted, scope.clash = lifted, (lifted | hyper_axes) - declared
        inputs = []
        for port, type in zip(definition.tree.inputs, matched.types, strict=True):
            if isinstance(scope.names.get(port.name), BoundAxis):
                help = "give the value another name"
                frame.report(faults.AxisValueClash(port.span.word(port.name), name=port.name, help=help))
            value = frame.input(frame.allocate(port.name), type, port.span)
            inputs.append(value)
            scope.names[port.name] = frame.read(value)
        frame.reserve(named)
        try:
            with frame.region(inputs) as region:
                terms = results_of(definition, scope)
                outputs = []
                for port, one in zip(definition.tree.outputs, terms, strict=True):
                    names = dict.fromkeys((*(n for t in matched.types for n in t.names if n in lifted), *one.names))
                    axes = {axis.name: axis for axis in one.axes}
                    order = tuple(axes[name] for name in names if name in axes)
                    outputs.append(frame.materialise(one, port.name, port.span, order, one.kind).name)
        except (Fault, Poisoned) as error:
            if isinstance(error, Fault):
                frame.report(error.diagnostic)
            frame.failed = True
        return self.close(region.close(outputs), facts, claims) if not frame.failed else None

    def close(self, region: Region, facts: tuple[Condition, ...], claims: tuple[Claim, ...]) -> Block | None:
        """Solve the sizes, put them in place; None where they do not work out (which is reported)."""
        frame, definition = self.frame, self.definition
        solution = frame.solver.solve()
        undetermined: set[str] = set()
        for width in frame.widths:
            unsolved = {symbol for symbol in frame.solver.resolve(width.size).symbols if symbol.startswith(OPEN)}
            if unsolved - undetermined:
                help = f"give it a size, as in `{width.axis}: 64`"
                frame.report(faults.UndeterminedSize(width.span, axis=width.axis, help=help))
            undetermined |= unsolved
        for mismatch, refuted in chain(((m, True) for m in solution.refuted), ((m, False) for m in solution.unproved)):
            if undetermined.isdisjoint(frame.resolve(mismatch.left).symbols | frame.resolve(mismatch.right).symbols):
                frame.report(frame.unsolved(mismatch, refuted=refuted))
        if frame.failed:
            return None
        frame.learn(one.condition for one in frame.requirements)
        region = apart(settled(region, frame.resolve), frame)
        if frame.failed:
            return None
        block = Block(
            name=self.session.block_name(definition.tree.name),
            word=definition.tree.name,
            role=definition.tree.role,
            symbols=self.ordered(region),
            region=region,
            output_names=tuple(port.name for port in definition.tree.outputs),
            facts=facts,
            requirements=tuple(dict.fromkeys(frame.requirements)),
            claims=claims,
            fixed=self.fixed(),
            span=definition.tree.head,
            definition=definition.tree,
        )
        self.session.blocks[block.name] = block
        return block

    def measured(self) -> set[str]:
        """Symbols that the signature gives an axis of an output as its size: there is at least one position."""
        types = (port.type for port in self.definition.tree.outputs)
        axes = (axis for type in types if isinstance(type, tree.Type) for axis in type.axes)
        return {axis.size.text for axis in axes if isinstance(axis.size, tree.Name)} & self.symbols.keys()

    def ordered(self, region: Region) -> tuple[Symbol, ...]:
        """Hyper-parameters as they are declared, then the sizes of axes as the inputs have them; the size of an axis
        that no input has is a hyper-parameter."""
        axes = dict.fromkeys(axis.size.name for value in region.inputs for axis in value.type.axes)
        given = [name for name in axes if name in self.symbols and self.symbols[name].role == "axis"]
        others = [replace(one, role="hyper") for name, one in self.symbols.items() if name not in given]
        return (*others, *(self.symbols[name] for name in given))

    def fixed(self) -> tuple[tuple[str, str], ...]:
        """Hyper-parameters that are no symbol, in words: what this specialisation has built in."""
        hypers = [hyper.name for hyper in self.definition.tree.hypers if isinstance(hyper, tree.Hyper)]
        return tuple((name, show(bound)) for name in hypers if (bound := self.scope.names.get(name)) and show(bound))


def show(binding: Binding) -> str:
    """A bound hyper-parameter as the spec would write it; empty for one that stays a symbol."""
    match binding:
        case Extent(size=size):
            return str(size) if size.constant is not None else ""
        case Scalar(value=value):
            return f"{value:g}"
        case Flag(value=value):
            return "true" if value else "false"
        case Word(text=text):
            return text
        case AxisList(axes=axes):
            return "(" + ", ".join(axis.name for axis in axes) + ")"
        case Activation(word=word):
            return word
        case Partial(definition=definition, hypers=hypers):
            inner = ", ".join(f"{name} = {show(one)}" for name, one in hypers if show(one))
            return f"{definition.tree.name}({inner})" if inner else definition.tree.name
        case Chain(stages=stages):
            return " >> ".join(map(show, stages))
        case Together(edges=edges, signs=signs):
            return "".join(f" {sign} {show(edge)}" for sign, edge in zip(signs, edges, strict=True)).removeprefix(" + ")
        case Tied(edge=edge, groups=groups):
            return f"tied({show(edge)}, groups = {groups})"
        case _:
            return ""


def _key(binding: Binding | None) -> object:
    match binding:
        case Extent(size=size):
            return size.constant
        case AxisList(axes=axes):
            return tuple(axis.name for axis in axes)
        case BoundAxis(axis=axis):
            return axis.name
        case Scalar() | Flag() | Word() | Activation():
            return binding
        case Partial(definition=definition, hypers=hypers):
            return (definition, tuple((name, _key(one)) for name, one in hypers))
        case Chain(stages=stages):
            return ("chain", tuple(map(_key, stages)))
        case Together(edges=edges, signs=signs):
            return ("sum", signs, tuple(map(_key, edges)))
        case Scaled(factor=factor, edge=edge):
            return ("scaled", factor, _key(edge))
        case Tied(edge=edge, groups=groups):
            return ("tied", groups, _key(edge))
        case _:
            return None
