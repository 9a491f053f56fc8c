"""One specialised block under construction: its symbols, its scope, its region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, count

from archc.base.diagnostic import Fault, Note
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, hyper_kind, hyper_value
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
    Tied,
    Together,
    Word,
)
from archc.elaborate.body import results_of
from archc.elaborate.claims import claims_of
from archc.elaborate.constraint import Demand
from archc.elaborate.extent import (
    conditions_of,
)
from archc.elaborate.frame import Frame, Poisoned, Session
from archc.elaborate.ports import Matched
from archc.elaborate.renumber import renumbered
from archc.elaborate.scope import Scope
from archc.elaborate.settle import apart, settled
from archc.elaborate.show import show
from archc.ir.graph import Block, Claim, Symbol
from archc.ir.node import Region
from archc.syntax import tree
from archc.types.size import Condition, Facts, Size
from archc.types.solve import OPEN
from archc.types.tensor_type import Axis


def default_hypers(definition: Definition, given: dict[str, Binding], scope: Scope, arguments: Arguments) -> None:
    """Bind the hyper-parameters in the block's scope: those given, then defaults, which may use earlier ones.

    Raises Fault E0205 for one that has neither, Poisoned where the signature is known to be wrong.
    """
    if definition.is_faulty:
        raise Poisoned
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
            raise Fault(_missing(hyper, definition, arguments))


def _missing(hyper: tree.Hyper, definition: Definition, arguments: Arguments) -> faults.MissingArgument:
    """The diagnostic for a hyper-parameter without a value, at the call, or where it is declared if nothing calls."""
    name, callee = hyper.name, definition.tree.name
    if arguments.span == definition.tree.head:
        help = f"give it a default, as in `{name}: {hyper.kind} = ...`"
        return faults.MissingArgument(hyper.span, callee=callee, name=name, help=help)
    note = Note(hyper.span, "declared here without a default")
    return faults.MissingArgument(arguments.span, callee=callee, name=name, help=f"write `{name} = ...`", notes=(note,))


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
        self.minimum.update((name, 1) for name in self.measured())
        frame.facts, frame.values = Facts((), self.minimum), self.values
        facts = self.facts()
        if definition.tree.role == "net":
            self.keep_promises()
        frame.learn(facts)
        claims = claims_of(definition, scope, self.session.findings)
        lifted = frozenset(matched.lifted)
        hyper_axes = {a.name for b in scope.names.values() if isinstance(b, AxisList) for a in b.axes}
        named = {*self.sizes, *hyper_axes, *(name for type in matched.types for name in type.names)}
        if definition.tree.role == "net":
            frame.ports = frozenset(port.name for port in definition.tree.inputs)
        else:
            frame.reserve(named)
        declared = {name for name, bound in scope.names.items() if isinstance(bound, BoundAxis)} - hyper_axes
        scope.lifted, scope.clash = lifted, (lifted | hyper_axes) - declared
        inputs = []
        for port, type in zip(definition.tree.inputs, matched.types, strict=True):
            if isinstance(scope.names.get(port.name), BoundAxis):
                help = "give the value another name"
                raise Fault(faults.AxisValueClash(port.span.word(port.name), name=port.name, help=help))
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
                frame.report(faults.UndeterminedSize(width.span, axis=width.axis, help=width.help))
            undetermined |= unsolved
        for mismatch, refuted in chain(((m, True) for m in solution.refuted), ((m, False) for m in solution.unproved)):
            if undetermined.isdisjoint(frame.resolve(mismatch.left).symbols | frame.resolve(mismatch.right).symbols):
                frame.report(frame.unsolved(mismatch, refuted=refuted))
        if frame.failed:
            return None
        frame.learn(one.condition for one in frame.requirements)
        region = apart(settled(region, frame.resolve), frame)
        if self.frame.failed:
            return None
        if frame.has_derived_loops:
            region = renumbered(region, frame.names.reserved)
        solved = self.solved(region)
        promised = (fact.substitute(solved) for fact in facts)
        required = (replace(one, condition=one.condition.substitute(solved)) for one in frame.requirements)
        block = Block(
            name=self.session.block_name(definition.tree.name),
            word=definition.tree.name,
            role=definition.tree.role,
            symbols=self.ordered(region, solved),
            region=region,
            output_names=tuple(port.name for port in definition.tree.outputs),
            facts=tuple(fact for fact in promised if fact.left != fact.right or fact.operator != "=="),
            requirements=tuple(dict.fromkeys(required)),
            claims=claims,
            fixed=self.fixed(),
            span=definition.tree.head,
            definition=definition.flat.written,
        )
        self.session.blocks[block.name] = block
        return block

    def measured(self) -> set[str]:
        """Symbols that the signature gives an axis of an output as its size: there is at least one position."""
        types = (port.type for port in self.definition.tree.outputs)
        axes = (axis for type in types if isinstance(type, tree.Type) for axis in type.axes)
        return {axis.size.text for axis in axes if isinstance(axis.size, tree.Name)} & self.symbols.keys()

    def ordered(self, region: Region, solved: Mapping[str, Size]) -> tuple[Symbol, ...]:
        """Hyper-parameters as they are declared, then the sizes of axes as the inputs have them; the size of an axis
        that no input has is a hyper-parameter, unless it is `solved`."""
        given = [name for name in _sizes_of(region) if name in self.symbols and self.symbols[name].role == "axis"]
        gone = {*given, *solved}
        others = [replace(one, role="hyper") for name, one in self.symbols.items() if name not in gone]
        return (*others, *(self.symbols[name] for name in given))

    def solved(self, region: Region) -> dict[str, Size]:
        """The sizes of axes that the signature gives by others: `where n == 2 * m`."""
        given = _sizes_of(region)
        open = [name for name, one in self.symbols.items() if one.role == "axis" and name not in given]
        found = {name: self.frame.resolve(Size.symbol(name)) for name in open}
        return {name: size for name, size in found.items() if name not in size.symbols}

    def fixed(self) -> tuple[tuple[str, str], ...]:
        """Hyper-parameters that are no symbol, in words: what this specialisation has built in."""
        hypers = [hyper.name for hyper in self.definition.tree.hypers if isinstance(hyper, tree.Hyper)]
        return tuple((name, show(bound)) for name in hypers if (bound := self.scope.names.get(name)) and show(bound))


def _sizes_of(region: Region) -> list[str]:
    """The symbols that are the size of an axis of an input, in order."""
    return list(dict.fromkeys(axis.size.name for value in region.inputs for axis in value.type.axes))


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
