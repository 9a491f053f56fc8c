"""The session (one compilation) and the frame (one block being built)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from archc.base.diagnostic import Diagnostic, Fault, Findings, Note
from archc.base.limits import LIMITS
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import Definition, Passes, Sharing, Term
from archc.elaborate.constraint import Demand, Mismatch, is_open
from archc.elaborate.names import Names
from archc.formula.rename import distinct
from archc.formula.tree import Formula, Position, Read, walk
from archc.ir.graph import Block, Requirement
from archc.ir.node import Compute, Node, Parameter, Region, Value
from archc.ops.registries import INITIALISERS, OPERATIONS, POINTWISE, REDUCTIONS
from archc.types.size import Condition, Facts, Size
from archc.types.solve import Mismatch as Unsolved
from archc.types.solve import Solver
from archc.types.tensor_type import Axis, Kind, TensorType

T = TypeVar("T")

BUILT_IN: tuple[Container[str], ...] = (POINTWISE, REDUCTIONS, OPERATIONS, INITIALISERS)
KEY = "__"
"""What stands before the number of a specialised block; a value's name has one `_`."""


class Poisoned(Exception):
    """A value with an error was used: abandon the statement, everything has been said."""


class Freeze(Exception):
    """A size must be known while compiling: the frame starts again with these symbols fixed."""

    def __init__(self, frame: Frame, symbols: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(symbols)))
        self.frame = frame
        self.symbols = symbols


@dataclass(eq=False)
class Session:
    """One compilation: what was found, and the blocks built so far by what sets them apart."""

    findings: Findings
    blocks: dict[str, Block] = field(default_factory=dict)
    keys: dict[object, Block | None] = field(default_factory=dict)
    building: set[object] = field(default_factory=set)
    static: set[tuple[Definition, str]] = field(default_factory=set)
    shorter: dict[tuple[Definition, frozenset[str]], Definition] = field(default_factory=dict)
    widened: dict[tuple[Span, ...], dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """Axes that the carries of a loop have beyond those of what they start from, by the loop's place."""
    missed: dict[tuple[tuple[Span, ...], str, str], Diagnostic] = field(default_factory=dict)
    """What to say where such a carry turns out not to have an axis along which its passes read it."""
    loosened: dict[tuple[tuple[Span, ...], str], Note] = field(default_factory=dict)
    """Carries that are plain numbers though they start as pointers or distributions, by the loop's place and their
    name, with where a pass gives them back so."""
    spread: set[object] = field(default_factory=set)
    """The places of shared blocks that stand in place of their calls: no one loop holds them all."""
    overlooked: set[Span] = field(default_factory=set)
    """The choices whose other side has been looked at: names mean the same there wherever the block stands."""
    stack: list[tuple[Definition, Span]] = field(default_factory=list)
    nodes: int = 0
    abandoned: int = 0
    """How many parts of statements had a fault so far."""
    copies: int = 1
    """How often the text at hand is elaborated by the loops around it whose passes differ."""

    def block_name(self, word: str) -> str:
        """A key for a specialised block, apart from the others and from what is built in."""
        name, number = word, 2
        while name in self.blocks or any(name in built_in for built_in in BUILT_IN):
            name, number = f"{word}{KEY}{number}", number + 1
        return name

    def without(self, definition: Definition, ports: frozenset[str]) -> Definition:
        """The block with some of its inputs being what their defaults say, the same each time."""
        if not ports:
            return definition
        key = (definition, ports)
        if key not in self.shorter:
            inputs = tuple(port for port in definition.tree.inputs if port.name not in ports)
            starts = tuple(port for port in definition.tree.inputs if port.name in ports)
            self.shorter[key] = replace(definition, tree=replace(definition.tree, inputs=inputs), starts=starts)
        return self.shorter[key]

    def place(self, span: Span) -> tuple[Span, ...]:
        """A place in a text, with the calls that led there."""
        return (*(call for _, call in self.stack), span)

    def blame(self, diagnostic: Diagnostic) -> Diagnostic:
        """The library has no faults of its own: what goes wrong in its text is the caller's, and shown at the call."""
        for definition, span in reversed(self.stack):
            file = definition.file
            if file.is_library and diagnostic.span.source is file.source and span.source is not file.source:
                inner = Note(diagnostic.span, diagnostic.label or "here")
                diagnostic.notes = (inner, *diagnostic.notes)
                diagnostic.span, diagnostic.label = span, ""
        return diagnostic

    def count_node(self, span: Span) -> None:
        """Spend one of the nodes that a net may have."""
        self.nodes += 1
        if self.nodes == LIMITS.nodes + 1:
            raise Fault(faults.TooManyNodes(span, limit=LIMITS.nodes))
        if self.nodes > LIMITS.nodes:
            raise Poisoned

    @contextmanager
    def copied(self, count: int, span: Span) -> Iterator[None]:
        """Elaborate a text once for each pass of a loop. Raises Fault E0906 for more copies than nodes are allowed."""
        if self.copies * count > LIMITS.nodes:
            raise Fault(faults.TooManyNodes(span, limit=LIMITS.nodes))
        before, self.copies = self.copies, self.copies * max(count, 1)
        try:
            yield
        finally:
            self.copies = before


@dataclass(frozen=True)
class Width:
    """An axis whose size is still to be solved, and how to give it one."""

    axis: str
    size: Size
    span: Span
    help: str


class Frame:
    """One block under construction: its regions, sizes, names and side conditions.

    `values` are the sizes fixed from outside: what each symbol is while this block is compiled, where it is known
    (hyper-parameters); `frozen` those whose symbol was replaced by its number. `ports` are the inputs of a net, whose
    names are the user's: no axis that the net does not speak of takes one. `numbers` are carries that start from a
    number, whose axes are those of what a pass gives back, by the place of their loop and their name, `loosened` those
    that are no pointers any more, with the place that says why. `parameters` are those declared so far, `open` the
    regions inside that of the block, `passes` the weights that the passes of the loop around have in common,
    `has_derived_loops` says that names were made for passes of loops that are derived.
    """

    def __init__(
        self, session: Session, definition: Definition, facts: Facts, values: Mapping[str, int], path: tuple[str, ...]
    ) -> None:
        self.session = session
        self.definition = definition
        self.facts = facts
        self.values = dict(values)
        self.path = path
        self.solver = Solver(facts)
        self.types: dict[str, TensorType] = {}
        self.spans: dict[str, Span] = {}
        self.nodes: list[Node] = []
        self.requirements: list[Requirement] = []
        self.widths: list[Width] = []
        self.failed = False
        self.unknown: set[tuple[str, str]] = set()
        self.parent: Frame | None = None
        self.caller: Mapping[str, Size] = {}
        self.ports: frozenset[str] = frozenset()
        self.numbers: dict[str, tuple[tuple[Span, ...], str]] = {}
        self.loosened: dict[str, Note] = {}
        self.parameters: list[Parameter] = []
        self.open: list[Open] = []
        self.passes: Passes | None = None
        self.names = Names()
        self.has_derived_loops = False

    # -- names and nodes

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names from being allocated: those of axes and sizes, which values must not take."""
        self.names.reserve(names)

    def allocate(self, hint: str) -> str:
        """A name for a value, unique in the block."""
        return self.names.allocate(hint)

    def attribute(self, hint: str) -> str:
        """A name for a module or a group of parameters, unique among the block's attributes."""
        return self.names.attribute(hint)

    def parameter_name(self, hint: str) -> str:
        """A name for a parameter, which is a value and an attribute."""
        return self.names.parameter(hint)

    def learn(self, conditions: Iterable[Condition]) -> None:
        """Take conditions for granted from here on."""
        self.facts = self.facts.extended(conditions)
        self.solver.facts = self.facts

    def input(self, name: str, type: TensorType, span: Span) -> Value:
        """Declare an input of the region at hand."""
        value = Value(name, type)
        self.types[name] = type
        self.spans[name] = span
        return value

    def emit(self, node: Node) -> Node:
        """Append a node to the region at hand."""
        self.session.count_node(node.span)
        self.nodes.append(node)
        for value in node.results:
            self.types[value.name] = value.type
            self.spans[value.name] = node.span
            self.measure(value.type)
        return node

    def measure(self, type: TensorType) -> None:
        """Learn of the symbols that are sizes of axes that there is at least one position."""
        symbols = [axis.size for axis in type.axes if axis.size.name]
        self.learn(Condition(">=", size, Size.of(1)) for size in symbols if self.facts.at_least.get(size.name, 1) < 1)

    def declare(self, node: Parameter, sharing: Sharing | None) -> None:
        """Append a parameter; shared ones live where their weights were declared, outside the loops that read them."""
        self.parameters.append(node)
        if sharing is None or sharing.depth >= len(self.open):
            self.emit(node)
            return
        with self.open[sharing.depth].outside():
            self.emit(node)

    def common(self, span: Span) -> Sharing | None:
        """The weights of what stands at a place, where all passes of the loop around have the same."""
        if self.passes is None:
            return None
        if any(region.has_weights for region in self.open[self.passes.within :]):
            what = "a loop with weights for each pass in what is shared"
            raise Fault(faults.NotYet(span, what=what))
        return self.passes.sharing(self.session.place(span))

    @contextmanager
    def sharing_passes(self, span: Span) -> Iterator[Passes]:
        """Elaborate the passes of a loop, each of which `begin`s, with one set of weights."""
        outer = self.passes
        depth = len(self.open)
        self.passes = Passes(depth, depth) if outer is None else outer.inner(self.session.place(span))
        try:
            yield self.passes
        finally:
            self.passes = outer

    @contextmanager
    def using(self, sharing: Sharing) -> Iterator[None]:
        """Elaborate a shared block in place of a call, with the weights of its other uses."""
        outer, self.passes = self.passes, sharing.uses or Passes(sharing.depth, name=sharing.name)
        sharing.uses = self.passes
        self.passes.within, self.passes.calls = len(self.open), len(self.session.stack) + 1
        self.passes.begin()
        try:
            yield
        finally:
            self.passes = outer

    def region(self, inputs: Iterable[Value], *, has_weights: bool = False) -> Open:
        """Open a nested region; nodes go there until it is closed. Each of its passes may have weights of its own."""
        return Open(self, tuple(inputs), has_weights)

    def read(self, value: Value) -> Term:
        """A whole value as a term."""
        type = value.type
        indices = tuple(Position(name) for name in type.names)
        return Term(Read(value.name, indices), type.axes, type.kind, value.name)

    def materialise(
        self, term: Term, hint: str | None, span: Span, axes: tuple[Axis, ...] | None = None, kind: Kind | None = None
    ) -> Value:
        """The term as a value of the region: itself if it is one, a new node (named by `hint`) otherwise.

        `axes` asks for an order of its axes, as boundaries do.
        """
        wanted = TensorType(kind or term.kind, term.axes if axes is None else axes)
        formula = term.formula
        if isinstance(formula, Read) and term.is_plain:
            own = self.types[formula.value]
            read = tuple(index.axis for index in formula.indices if isinstance(index, Position))
            fits = read == wanted.names if axes is not None else set(read) == set(wanted.names)
            if read == own.names and fits and self.is_kind(own.kind, wanted.kind):
                return Value(formula.value, own)
        names = self.ports.union(wanted.names)
        value = Value(self.allocate(hint or term.hint), wanted)
        self.emit(Compute(results=(value,), span=span, path=self.path, formula=distinct(formula, names)))
        return value

    def lacking(self, diagnostic: Diagnostic, axis: str, terms: Iterable[Term]) -> Fault:
        """The fault of values that lack an axis. Starts the block again where they come of a carry that starts from a
        number: it has the axis then, if a pass gives that back."""
        carry = next((name for term in terms for name in self._carries(term.formula)), None)
        if carry is None:
            # a block looks at its operands, which are its caller's, before it has values of its own
            if self.parent is not None and not self.types:
                return self.parent.lacking(diagnostic, axis, terms)
            return Fault(diagnostic)
        place, word = self.numbers[carry]
        wider = self.session.widened.setdefault(place, {})
        if axis in wider.get(word, ()):
            return Fault(diagnostic)
        if self.failed:  # what is wrong is said, and would be said again
            raise Poisoned
        wider[word] = (*wider.get(word, ()), axis)
        self.session.missed[place, word, axis] = diagnostic
        raise Freeze(self, frozenset())

    def _carries(self, formula: Formula) -> Iterator[str]:
        """The carries that start from a number which a formula is made of."""
        made = {node.result.name: node.formula for node in self.nodes if isinstance(node, Compute)}
        for part in walk(formula):
            if isinstance(part, Read):
                if part.value in self.numbers:
                    yield part.value
                elif part.value in made:
                    yield from self._carries(made[part.value])

    def is_kind(self, kind: Kind, other: Kind) -> bool:
        """Whether two kinds are one, an index into as many positions."""
        if (kind.word, kind.axis) != (other.word, other.axis):
            return False
        sizes = [self.resolve(one.size) for one in (kind, other) if one.size is not None]
        return len(sizes) < 2 or self.facts.equal(*sizes) is True

    def mark_widths(self, axes: Iterable[Axis], span: Span, help: str = "give it a size, as in `{axis}: 64`") -> None:
        """Remember axes whose size is still to be solved: unsolved ones are errors (E0302)."""
        for axis in axes:
            if is_open(self.solver.resolve(axis.size)):
                self.widths.append(Width(axis.name, axis.size, span, help.format(axis=axis.name)))

    # -- sizes

    def resolve(self, size: Size) -> Size:
        """A size with everything solved so far filled in."""
        return self.facts.normal(self.solver.resolve(size))

    def equate(self, left: Size, right: Size, origin: Mismatch) -> None:
        """Two sizes must be equal; says so at once where it is decided, else the solver decides."""
        if left == right:
            return
        left, right = self.resolve(left), self.resolve(right)
        is_unknown = any(side.name and is_open(side) for side in (left, right))
        verdict = None if is_unknown and left != right else self.facts.equal(left, right)
        if verdict is True:
            return
        if is_open(left) or is_open(right):
            self.solver.equate(left, right, origin)
            return
        raise Fault(origin.fault(left, right, refuted=verdict is False))

    def constant(self, size: Size, span: Span, what: str) -> int:
        """The number a size is; restarts the block with symbols fixed where it is not yet one."""
        size = self.resolve(size)
        if size.constant is not None:
            return size.constant
        self.freeze(size.symbols, span, what)
        raise AssertionError("freeze does not return")

    def freeze(self, symbols: frozenset[str], span: Span, what: str) -> None:
        """Start the block again with these symbols known."""
        if not symbols <= set(self.values):
            missing = ", ".join(f"`{name.lstrip('?').split('.')[0]}`" for name in sorted(symbols - set(self.values)))
            label = f"{missing} is known only when the module runs"
            help = "make it a hyper-parameter of the net, as in `(width = 64) (x: real[d: width])`"
            raise Fault(faults.NotStatic(span, what=what, label=label, help=help))
        raise Freeze(self, symbols)

    def demand(self, condition: Condition, origin: Demand) -> None:
        """A condition on sizes must hold: proved here, asked of the caller, or refused."""
        condition = Condition(condition.operator, self.resolve(condition.left), self.resolve(condition.right))
        verdict = self.facts.prove(condition)
        if verdict is True:
            return
        symbols = condition.symbols
        if is_open(condition.left) or is_open(condition.right):
            self.solver.require(condition, origin)
            return
        if origin.index_axis is not None:
            raise Fault(origin.bounds(condition))
        is_net = self.definition.tree.role == "net"
        known = is_net and symbols <= set(self.values)
        if verdict is False or (known and not condition.evaluate(self.values)):
            raise Fault(origin.refuted(condition, self.values))
        if known or not is_net:
            self.requirements.append(Requirement(condition, origin.span))
            self.learn((condition,))  # whoever calls this block sees to it
            return
        raise Fault(origin.unproved(condition, self.definition))

    def unsolved(self, mismatch: Unsolved, *, refuted: bool) -> Diagnostic:
        """What to say of a constraint that the solver refused or could not prove."""
        origin = mismatch.origin
        if isinstance(origin, Mismatch):
            return origin.fault(self.resolve(mismatch.left), self.resolve(mismatch.right), refuted=refuted)
        assert isinstance(origin, Demand)
        condition = Condition(mismatch.operator, self.resolve(mismatch.left), self.resolve(mismatch.right))
        if origin.index_axis is not None:
            return origin.bounds(condition)
        return origin.refuted(condition, self.values) if refuted else origin.unproved(condition, self.definition)

    def every(self, parts: Iterable[Callable[[], T]]) -> list[T]:
        """What each of some parts gives that do not hang on each other, such as the terms of a sum.

        All are looked at, whatever is wrong with one: the first fault is raised, the others are reported. No more of
        it than a report shows: blocks that call each other twice would be gone through without end.
        """
        found: list[T] = []
        errors: list[Fault | Poisoned] = []
        for part in parts:
            try:
                found.append(part())
            except (Fault, Poisoned) as error:
                errors.append(error)
                self.session.abandoned += 1
                if self.session.abandoned > LIMITS.diagnostics:
                    break
        if errors:
            first, *others = sorted(errors, key=lambda error: isinstance(error, Poisoned))
            for other in others:
                if isinstance(other, Fault):
                    self.report(other.diagnostic)
            raise first
        return found

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic; the block will not be lowered."""
        self.failed = self.failed or diagnostic.severity == "error"
        if isinstance(diagnostic, faults.UnknownName):  # once for a name, however often it is used
            said = (diagnostic.span.source.path, diagnostic.message)
            if said in self.unknown:
                return
            self.unknown.add(said)
        self.session.findings.add(self.session.blame(diagnostic))


class Open:
    """A nested region being filled (a context manager); `close` gives the region."""

    def __init__(self, frame: Frame, inputs: tuple[Value, ...], has_weights: bool) -> None:
        self.frame = frame
        self.inputs = inputs
        self.has_weights = has_weights
        self.outer: list[Node] = []

    def __enter__(self) -> Self:
        self.outer, self.frame.nodes = self.frame.nodes, []
        self.frame.open.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.nodes = tuple(self.frame.nodes)
        self.frame.nodes = self.outer
        self.frame.open.pop()

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Emit into the enclosing region for a while."""
        inner, self.frame.nodes = self.frame.nodes, self.outer
        try:
            yield
        finally:
            self.frame.nodes = inner

    def close(self, outputs: Iterable[str]) -> Region:
        return Region(self.inputs, self.nodes, tuple(outputs))
