"""Adjoints through loops that are not written out: a loop of their own."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace

from archc.derive.adjoint import Backward, Step, reached, read
from archc.derive.passes import draws, with_modules
from archc.derive.region import OpaqueError, is_drawn_inside
from archc.formula.algebra import ZERO, total
from archc.formula.tree import Apply, Formula, Literal, Position, Read, SizeValue
from archc.ir.node import Compute, Fixpoint, Loop, Node, Operate, Region, Scan, Solver, Value
from archc.ir.rewrite import values_of, with_names
from archc.types.tensor_type import REAL, Axis, TensorType


@dataclass(frozen=True)
class ThroughScan:
    """A scan that is derived: `node` with the parameters of its passes outside, the `steps` of a pass, and the values
    of a pass that are `active`. `stored` are values of the passes that the scan has come to give besides.

    A second scan, from the last position to the first, carries the adjoints of the carries and of what the passes
    capture, and emits those of the entries. It reads what each pass started from, drew and emitted, which the first
    one gives, and computes anew what is between. It has no solver, whatever the first one has: what is derived is the
    meaning, the passes one after the other.
    """

    node: Scan
    steps: tuple[Step, ...]
    active: set[str]
    stored: dict[str, Value] = field(default_factory=dict)

    def back(self, to: Backward) -> None:
        """Emit the second scan, where a result has an adjoint."""
        if any(value.name in to.given for value in self.node.results):
            _Reversal(self, to).emit()

    def grown(self) -> Scan:
        """The scan with what it has come to give."""
        node = self.node
        body = replace(node.body, outputs=(*node.body.outputs, *self.stored))
        return replace(node, results=(*node.results, *self.stored.values()), body=body)


class _Reversal:
    """The second scan on its way into the nodes that `to` collects; `inner` are those of one of its passes, `sources`
    the values over the axis whose entries it reads, by the names of these."""

    def __init__(self, through: ThroughScan, to: Backward) -> None:
        self.through = through
        self.to = to
        self.node = node = through.node
        self.count = len(node.initial)
        inputs = {value.name: value.type for value in node.body.inputs}
        self.inner = Backward(node.body.nodes, through.active, {**to.types, **inputs}, to.naming)
        self.carries: list[Value] = []
        self.initial: list[str] = []
        self.sources: dict[str, str] = {}
        self.backwards: dict[str, Value] = {}

    def emit(self) -> None:
        """Append the scan and hand on what it gives."""
        node, inner, to = self.node, self.inner, self.to
        begun = self.receive()
        inner.run(self.through.steps)
        captured = [Value(name, to.types[name]) for name in inner.given if name in to.active]
        if any(node.axis.name in value.type.names for value in captured):
            raise OpaqueError(node)
        pairs = zip(node.body.inputs[self.count :], node.slices, strict=True)
        entries = [(value, source) for value, source in pairs if value.name in inner.given]
        outputs = [self.put(value, inner.whole(value.name)) for value, _ in begun]
        for value in captured:
            start = to.put(f"{value.name}_start", value.type, ZERO, node.span, node.path)
            outputs.append(self.put(value, total(read(self.carry(value, start)), inner.whole(value.name))))
        outputs += [self.put(value, inner.whole(value.name)) for value, _ in entries]
        region, slices = self.region(outputs)
        first = to.types[slices[0]] if slices else None
        types = [value.type for value in self.carries]
        types += [over(TensorType(REAL, value.type.axes), node.axis, first) for value, _ in entries]
        targets = [name for _, name in begun] + [value.name for value in captured] + [name for _, name in entries]
        results = tuple(
            Value(to.naming.value(f"{name}_adjoint"), type) for name, type in zip(targets, types, strict=True)
        )
        to.add(
            Scan(
                results=results,
                span=node.span,
                path=node.path,
                module=to.naming.module(f"{results[0].name}_step"),
                initial=tuple(self.initial),
                body=region,
                axis=node.axis,
                slices=slices,
            )
        )
        for name, result in zip(targets, results, strict=True):
            to.give(name, turned(result, node.axis) if node.axis.name in result.type.names else read(result))

    def receive(self) -> list[tuple[Value, str]]:
        """Give a pass the adjoints of its outputs; which carries have one, with the values that they start from."""
        node, body, to = self.node, self.node.body, self.to
        names = [value.name for value in node.carries]
        places = _places(node, names, body.outputs, self.through.steps, self.through.active, to.given)
        starts = {at: self.adjoint(node.results[at]) for at in places}
        for at, start in starts.items():
            self.inner.give(body.outputs[at], read(self.carry(body.inputs[at], start)))
        for out, result in zip(body.outputs[self.count :], node.results[self.count :], strict=True):
            if result.name in to.given:
                self.inner.give(out, read(self.entry(self.adjoint(result))))
        return [(body.inputs[at], node.initial[at]) for at in places]

    def adjoint(self, result: Value) -> Value:
        """The adjoint of a result of the first scan as a value."""
        whole = self.to.whole(result.name)
        return self.to.put(f"{result.name}_adjoint", result.type, whole, self.node.span, self.node.path)

    def carry(self, value: Value, start: Value) -> Value:
        """The adjoint of a value as it is before a pass."""
        carry = Value(self.to.naming.value(f"{value.name}_adjoint"), TensorType(REAL, value.type.axes))
        self.inner.types[carry.name] = carry.type
        self.carries.append(carry)
        self.initial.append(start.name)
        return carry

    def put(self, value: Value, adjoint: Formula) -> str:
        """The adjoint of a value after a pass."""
        return self.inner.put(f"{value.name}_adjoint", value.type, adjoint, self.node.span, self.node.path).name

    def entry(self, source: Value) -> Value:
        """The entry of a value over the axis at the position at hand."""
        axis, to = self.node.axis, self.to
        if source.name not in self.backwards:
            type = replace(source.type, kind=_without(source.type, axis).kind)
            value = Value(to.naming.value(f"{source.name}_reversed"), type)
            formula = turned(source, axis)
            to.add(Compute(results=(value,), span=self.node.span, path=self.node.path, formula=formula))
            entry = Value(to.naming.value(f"{value.name}_{axis.name}"), _without(type, axis))
            self.backwards[source.name] = entry
            self.sources[entry.name] = value.name
            self.inner.types[entry.name] = entry.type
        return self.backwards[source.name]

    def region(self, outputs: Sequence[str]) -> tuple[Region, tuple[str, ...]]:
        """A pass, with the values whose entries it reads in the order in which it reads them."""
        inner, naming = self.inner, self.to.naming
        given = self.given
        live, needed = _live(inner.finished, outputs, given)
        own = {value.name for part in self.node.body.nodes for value in part.results}
        again = [part for part in live if part.results[0].name in own]
        for part in again:
            if isinstance(part, Loop) and draws(part.body):
                raise OpaqueError(part)
        names = {name: naming.value(name) for name in values_of(Region((), tuple(again), ()))}
        for value, source in zip(self.node.body.inputs[self.count :], self.node.slices, strict=True):
            if value.name in needed:
                names[value.name] = self.entry(Value(source, self.to.types[source])).name
        nodes: list[Node] = []
        for value in [Value(name, type) for name, type in inner.types.items() if name in needed & given]:
            entry = self.entry(self.source(value))
            if entry.type.names != value.type.names:
                formula, entry = read(entry), Value(naming.value(value.name), value.type)
                nodes.append(Compute(results=(entry,), span=self.node.span, path=self.node.path, formula=formula))
            names[value.name] = entry.name
        nodes += [with_modules(part, naming) if part.results[0].name in own else part for part in live]
        region = with_names(Region((), tuple(nodes), tuple(outputs)), names)
        entries = [name for name in region.captures if name in self.sources]
        inputs = (*self.carries, *(Value(name, inner.types[name]) for name in entries))
        return replace(region, inputs=inputs), tuple(self.sources[name] for name in entries)

    @property
    def given(self) -> set[str]:
        """The values of a pass of the first scan that it gives, or may: what is not computed again."""
        body = self.node.body
        emitted = set(body.outputs[self.count :])
        found = {one.name for one in body.inputs[: self.count]}
        for part in body.nodes:
            results = {value.name for value in part.results}
            if results <= emitted or not _is_recomputed(part, self.inner.grown):
                found |= results
        return found

    def source(self, value: Value) -> Value:
        """A value of the passes of the first scan over its axis."""
        node, stored = self.node, self.through.stored
        emitted = node.body.outputs[self.count :]
        if value.name in emitted:
            return node.results[self.count + emitted.index(value.name)]
        if value.name not in stored:
            first = self.to.types[node.slices[0]] if node.slices else None
            stored[value.name] = Value(self.to.naming.value(value.name), over(value.type, node.axis, first))
        found = stored[value.name]
        self.to.types[found.name] = found.type
        self.to.grown[node.module] = self.through.grown()
        return found


@dataclass(frozen=True)
class ThroughFixpoint:
    """A fixed point z = f(z) that is derived: the `steps` of a pass that starts from it, and what that pass gives back.

    The adjoint v of z becomes that of f(z) by the implicit function theorem: w = v + J^T w, a fixed point itself (Bai,
    Kolter and Koltun, Deep equilibrium models, arXiv 1909.01377, theorem 1).
    """

    node: Fixpoint
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    def back(self, to: Backward) -> None:
        """Emit the fixed point of the adjoints, where a result has one."""
        node = self.node
        starts = [value.name for value in node.results]
        places = _places(node, starts, self.outputs, self.steps, to.active, to.given)
        if not places:
            return
        first, carries = [], []
        inner = Backward((), to.active, to.types, to.naming)
        inner.grown = to.grown
        for at in places:
            value = node.results[at]
            hint, whole = f"{value.name}_adjoint", to.whole(value.name)
            first.append(to.put(hint, value.type, whole, node.span, node.path))
            carries.append(Value(to.naming.value(hint), TensorType(REAL, value.type.axes)))
            inner.types |= {one.name: one.type for one in (first[-1], carries[-1])}
            inner.give(self.outputs[at], read(carries[-1]))
        inner.run(self.steps)
        outputs = []
        for at, start in zip(places, first, strict=True):
            value = node.results[at]
            whole = total(read(start), inner.whole(value.name))
            outputs.append(inner.put(f"{value.name}_adjoint", value.type, whole, node.span, node.path).name)
        live, _ = _live(inner.finished, outputs, set())
        results = tuple(Value(to.naming.value(one.name), one.type) for one in carries)
        to.add(
            Fixpoint(
                results=results,
                span=node.span,
                path=node.path,
                module=to.naming.module(f"{carries[0].name}_step"),
                initial=tuple(value.name for value in first),
                body=Region(tuple(carries), tuple(live), tuple(outputs)),
                solver=_of_gradient(node.solver),
            )
        )
        for at, result in zip(places, results, strict=True):
            to.give(self.outputs[at], read(result))
        to.run(self.steps)


def over(type: TensorType, axis: Axis, first: TensorType | None) -> TensorType:
    """The type of what a scan over the axis emits: the axis stands after those ahead of it in what it reads first."""
    before = () if first is None else first.names[: first.names.index(axis.name)]
    ahead = tuple(own for own in type.axes if own.name in before)
    return TensorType(type.kind, (*ahead, axis, *(own for own in type.axes if own.name not in before)))


def turned(value: Value, axis: Axis) -> Read:
    """A value from the last position of an axis to the first."""
    count, at = axis.size.constant, Position(axis.name)
    index: Formula = Apply("add", (SizeValue(axis.size), Literal(-1), Apply("neg", (at,))))
    if count is not None:
        index = Apply("sub", (Literal(count - 1), at))
    return Read(value.name, tuple(index if name == axis.name else Position(name) for name in value.type.names))


def _places(
    node: Loop,
    starts: Sequence[str],
    outputs: Sequence[str],
    steps: Sequence[Step],
    active: Container[str],
    given: Container[str],
) -> list[int]:
    """Which carries have an adjoint: those whose last value is given one, and those that reach what has one."""
    reach = [reached(steps, {name}) for name in starts]
    wanted = {out for out, result in zip(outputs, node.results, strict=True) if result.name in given}
    found: list[int] = []
    while True:
        more = [
            at
            for at, name in enumerate(starts)
            if at not in found
            and name in active
            and (node.results[at].name in given or not reach[at].isdisjoint(wanted))
        ]
        if not more:
            return sorted(found)
        found += more
        wanted.update(outputs[at] for at in more)


def _live(nodes: Sequence[Node], outputs: Iterable[str], given: Container[str]) -> tuple[list[Node], set[str]]:
    """The nodes that some outputs need where some values are given, and all values that are needed."""
    live: list[Node] = []
    needed = set(outputs)
    for node in reversed(nodes):
        if any(value.name in needed and value.name not in given for value in node.results):
            live.append(node)
            needed.update(node.arguments)
    return live[::-1], needed


def _is_recomputed(node: Node, grown: Container[str]) -> bool:
    """Whether a node is computed again from what a pass started from: no loop is, but for one that is derived itself,
    nor what draws random numbers."""
    match node:
        case Compute():
            return True
        case Operate(operation=operation):
            return not (operation.draws or is_drawn_inside(node))
        case Scan(module=module):
            return module in grown
    return False


def _without(type: TensorType, axis: Axis) -> TensorType:
    """The type of the entries of a value over an axis."""
    own = tuple(one for one in type.axes if one.name != axis.name)
    return TensorType(type.kind.under({one.name: one.name for one in own}), own)


def _of_gradient(solver: Solver) -> Solver:
    """The solver with the numbers of the backward pass."""
    numbers = dict(solver.arguments)
    numbers |= {name: numbers[f"gradient_{name}"] for name in ("tolerance", "limit")}
    return Solver(solver.word, tuple(numbers.items()))
