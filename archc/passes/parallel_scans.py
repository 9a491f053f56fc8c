"""Recursions evaluated at all positions at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, final

from archc.derive.coupling import Coupling, UnsuitableError, joining, step_of
from archc.derive.linear import at_zero
from archc.derive.region import tangents
from archc.derive.tangent import Move
from archc.formula.algebra import ONE, ZERO, difference, times, total, where
from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, SizeValue
from archc.ir.along import Along, BlocksAlong
from archc.ir.graph import Block, TypedGraph
from archc.ir.node import Call, Compute, Fixpoint, Loop, Node, Operate, Region, Scan, Solver, Stage, Value
from archc.ir.rewrite import values_of, with_formulas, with_nodes, with_regions
from archc.ops.settled import Settled
from archc.passes.rewrite import Pass, Rewritten, kept
from archc.types.size import Size
from archc.types.tensor_type import REAL, Axis, TensorType

BEFORE = "_before"
"""What is added to the name of an axis that a step mixes, for the positions that it reads."""


@final
class ParallelScans(Pass):
    """Evaluates a scan `using associative()` or `using newton(...)` at all positions at once.

    Newton's method on all steps together (Danieli et al., ParaRNN, arXiv 2510.21450): from states h, the step f and its
    Jacobian J are taken at every position, and h[t] = J[t] h[t - 1] + (f[t] - J[t] h[t - 1]) is solved as a linear
    recurrence, whose steps are joined in any order. One iteration is exact where the step is affine; else the states
    that are found are stepped once more, and what they then differ by is held against the tolerance. A scan whose
    Jacobian has large blocks stays as it is.
    """

    word = "parallel_scans"
    preserves: ClassVar[frozenset[str]] = frozenset(("types", "params"))

    def apply(self, graph: TypedGraph) -> Rewritten:
        along = BlocksAlong(graph.blocks)
        blocks: dict[str, Block] = {}
        for name, block in graph.blocks.items():
            region = _in(block.region, set(values_of(block.region)), along)
            blocks |= along.made
            blocks[name] = block if region is block.region else replace(block, region=region)
        return kept(replace(graph, blocks=blocks))


def _in(region: Region, names: set[str], along: BlocksAlong) -> Region:
    nodes: list[Node] = []
    for node in region.nodes:
        if isinstance(node, Scan) and node.solver is not None and not node.is_joined:
            nodes.append(_parallel(node, names, along))
        else:
            nodes.append(with_regions(node, lambda inner: _in(inner, names, along)) if isinstance(node, Loop) else node)
    return with_nodes(region, nodes)


def _parallel(scan: Scan, names: set[str], along: BlocksAlong) -> Node:
    try:
        found = joining(scan, along.blocks)
    except UnsuitableError:
        return scan
    return _Steps(scan, found, names, along).stage()


@dataclass
class _Steps:
    """A scan on its way to a stage: `nodes` are those of the stage so far, `kept` the values of the body that are the
    same at every position, `starts` the inputs by carry, `entries` what the body reads one entry of, with all that
    follows from it alone."""

    scan: Scan
    coupling: Coupling
    names: set[str]
    blocks: BlocksAlong
    nodes: list[Node] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    starts: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)

    def stage(self) -> Stage:
        """The stage that takes the place of the scan."""
        scan, count = self.scan, len(self.scan.initial)
        entries = scan.body.inputs[count:]
        starts = [Value(self.fresh(value.name), value.type) for value in scan.carries]
        given = [Value(self.fresh(one.name), self.widened(one)) for one in entries]
        self.starts = {carry.name: start.name for carry, start in zip(scan.carries, starts, strict=True)}
        self.entries = {one.name: value.name for one, value in zip(entries, given, strict=True)}
        nodes = self.moving()
        step = step_of(replace(scan.body, nodes=tuple(nodes)), scan.carries)
        is_newton = scan.solver is not None and scan.solver.word == "newton"
        states = self.settled(step, self.searched(step)) if is_newton else self.affine(step)
        after = {name: states[one.name] for name, one in zip(scan.body.outputs, scan.carries, strict=False)}
        known = self.evaluated(nodes, {**self.before(states), **after})
        last = [self.last(carry, states[carry.name]) for carry in scan.carries]
        pairs = zip(scan.body.outputs[count:], scan.results[count:], strict=True)
        emitted = [self.emitted(name, known, value) for name, value in pairs]
        return Stage(
            results=scan.results,
            span=scan.span,
            path=scan.path,
            module=scan.module,
            initial=(*scan.initial, *scan.slices),
            body=Region((*starts, *given), tuple(self.nodes), (*last, *emitted)),
        )

    def affine(self, step: Region) -> Mapping[str, str]:
        """The states after each position, by carry, of a step that is affine."""
        carries = {carry.name for carry in self.scan.carries}
        # such a step may be taken from anywhere; from 0 most of it falls away
        has_operation = any(isinstance(n, Operate) and carries & set(n.operands) for n in step.nodes)
        return self.solved(step, self.before({}) if has_operation else {})

    def moving(self) -> Sequence[Node]:
        """The nodes of the body that depend on the carries; what does not is evaluated here, and so are the reductions
        inside of them that do not."""
        moving = {carry.name for carry in self.scan.carries}
        fixed, rest = [], []
        for node in self.scan.body.nodes:
            if moving.isdisjoint(node.arguments):
                fixed.append(node)
                continue
            if isinstance(node, Compute) and node.result.type.kind == REAL:
                node = replace(node, formula=self.without_fixed(node.formula, node, moving, fixed))
            rest.append(node)
            moving.update(value.name for value in node.results)
        self.entries = self.evaluated(fixed, {})
        return rest

    def without_fixed(self, formula: Formula, node: Compute, moving: set[str], fixed: list[Node]) -> Formula:
        """A part of a node's formula, the reductions in it that do not move read from nodes of their own."""
        if isinstance(formula, Read):
            return formula
        axes = [axis for axis in node.result.type.axes if axis.name in formula.free]
        is_free = formula.free <= {axis.name for axis in axes} and moving.isdisjoint(formula.reads)
        if isinstance(formula, Reduce) and formula.kind not in ("any", "all") and is_free:
            value = Value(self.fresh(formula.kind), TensorType(REAL, tuple(axes)))
            fixed.append(replace(node, results=(value,), formula=formula))
            return Read(value.name, _positions(axes))
        return formula.rebuild(lambda part: self.without_fixed(part, node, moving, fixed))

    def searched(self, step: Region) -> Mapping[str, str]:
        """The states by carry after as many iterations as are asked for, from 0."""
        carries, solver = self.scan.carries, self.scan.solver
        assert solver is not None
        zeros = [self.compute(f"{carry.name}_guess", self.widened(carry).axes, ZERO) for carry in carries]
        guess = {carry.name: Value(self.fresh(carry.name), self.widened(carry)) for carry in carries}
        around, self.nodes = self.nodes, []
        after = self.solved(step, self.before({carry: value.name for carry, value in guess.items()}))
        outputs = tuple(after[carry.name] for carry in carries)
        body, self.nodes = Region(tuple(guess.values()), tuple(self.nodes), outputs), around
        found = {carry.name: Value(self.fresh(f"{carry.name}_found"), self.widened(carry)) for carry in carries}
        self.nodes.append(
            Fixpoint(
                results=tuple(found.values()),
                span=self.scan.span,
                path=self.scan.path,
                module=self.module("newton"),
                initial=tuple(zeros),
                body=body,
                solver=Solver("newton", (("limit", int(solver["iterations"])),)),
            )
        )
        return {carry: value.name for carry, value in found.items()}

    def settled(self, step: Region, states: Mapping[str, str]) -> Mapping[str, str]:
        """What a step makes of states, which says where these are not the same."""
        known, solver = self.evaluated(step.nodes, self.before(states)), self.scan.solver
        assert solver is not None
        place = f"the scan at {self.scan.span.place}"
        operation = Settled(over=self.axis.name, tolerance=solver["tolerance"], place=place)
        found = {}
        for name, carry in zip(step.outputs, self.scan.carries, strict=True):
            type = self.widened(carry)
            made = self.compute(carry.name, type.axes, self.placed(known, name, carry.type.axes))
            value = Value(self.fresh(f"{carry.name}_states"), type)
            self.nodes.append(
                Operate(
                    results=(value,),
                    span=self.scan.span,
                    path=self.scan.path,
                    operation=operation,
                    operands=(made, states[carry.name]),
                    meaning=Region((Value("found", type), Value("states", type)), (), ("found",)),
                )
            )
            found[carry.name] = value.name
        return found

    def widened(self, value: Value) -> TensorType:
        """The type of a value of the body at all positions."""
        return TensorType(value.type.kind, (self.axis, *value.type.axes))

    @property
    def axis(self) -> Axis:
        """The axis of the scan."""
        return self.scan.axis

    def fresh(self, hint: str) -> str:
        """A name that no value of the block has."""
        name, number = hint, 2
        while name in self.names:
            name, number = f"{hint}_{number}", number + 1
        self.names.add(name)
        return name

    def module(self, name: str) -> str:
        """An attribute that nothing in the body has."""
        taken = {node.module for node in self.scan.body.nodes if isinstance(node, Call | Loop)}
        taken.update(value.name for node in self.scan.body.nodes for value in node.results)
        while name in taken:
            name += "_"
        return name

    def compute(self, hint: str, axes: Iterable[Axis], formula: Formula) -> str:
        """A new value of real numbers."""
        value = Value(self.fresh(hint), TensorType(REAL, tuple(axes)))
        self.nodes.append(Compute(results=(value,), span=self.scan.span, path=self.scan.path, formula=formula))
        return value.name

    def evaluated(self, nodes: Sequence[Node], before: Mapping[str, str]) -> Mapping[str, str]:
        """Nodes of the step at all positions, from the states before them; what their values are called there."""
        along = Along(self.axis, {**self.entries, **before}, self.fresh, self.blocks)
        along.add(nodes)
        for node in nodes:
            names = {value.name for value in node.results}
            is_spread = not along.known.keys().isdisjoint({*node.arguments, *names})
            if not is_spread and names.isdisjoint(self.kept):
                self.kept |= names
                self.nodes.append(node)
        self.nodes += along.nodes
        return along.known

    def before(self, states: Mapping[str, str]) -> Mapping[str, str]:
        """The state before each position: the start before the first, where nothing is known 0 before the others."""
        at, found = Position(self.axis.name), {}
        for carry in self.scan.carries:
            own = _positions(carry.type.axes)
            start: Formula = Read(self.starts[carry.name], own)
            earlier: Formula = ZERO
            if states:
                earlier = Read(states[carry.name], (difference(at, Literal(1)), *own), ZERO)
            formula = where(Apply("eq", (at, Literal(0))), start, earlier)
            found[carry.name] = self.compute(f"{carry.name}_before", (self.axis, *carry.type.axes), formula)
        return found

    def solved(self, step: Region, before: Mapping[str, str]) -> Mapping[str, str]:
        """The states after one iteration from those before each position; these are 0 where they are not given."""
        carries, outputs = self.scan.carries, step.outputs
        nodes: Sequence[Node] = step.nodes
        slopes: list[Sequence[Move]] = []
        for carry, axis in zip(carries, self.coupling.axes, strict=True):
            move, direction = self.move(carry, axis)
            found = tangents(Region((), tuple(nodes), outputs), {carry.name: move}, self.fresh, direction)
            nodes = found.nodes
            slopes.append(found.outputs)
        known = self.evaluated(nodes if before else _with_zero(nodes, self.starts), before)
        values = [self.placed(known, name, carry.type.axes) for name, carry in zip(outputs, carries, strict=True)]
        if self.coupling.is_joint:
            return self.joint(values, slopes, known, before)
        states = {}
        for number, carry in enumerate(carries):
            direction = self.direction(carry, self.coupling.axes[number])
            slope = self.placed(known, slopes[number][number], (*carry.type.axes, *direction))
            states[carry.name] = self.recurrence(carry, values[number], slope, before.get(carry.name), direction)
        return states

    def move(self, carry: Value, axis: str | None) -> tuple[Move, tuple[Axis, ...]]:
        """What the carry moves by: 1, or for a block one position of the axis at a time."""
        if axis is None:
            return ONE, ()
        (direction,) = self.direction(carry, axis)
        unit = where(Apply("eq", (Position(axis), Position(direction.name))), ONE, ZERO)
        return self.compute("unit", (*carry.type.axes, direction), unit), (direction,)

    def direction(self, carry: Value, axis: str | None) -> tuple[Axis, ...]:
        return () if axis is None else (Axis(f"{axis}{BEFORE}", carry.type.sizes[axis]),)

    def placed(self, known: Mapping[str, str], move: Move, axes: Sequence[Axis]) -> Formula:
        """A value of the step at the position at hand, or a number."""
        if not isinstance(move, str):
            return move
        own = _positions(axes)
        return Read(known[move], (Position(self.axis.name), *own)) if move in known else Read(move, own)

    def recurrence(
        self, carry: Value, value: Formula, slope: Formula, before: str | None, direction: Sequence[Axis]
    ) -> str:
        """The states with h[t] = slope h[t - 1] + (value - slope before)."""
        product: Formula = ZERO
        if before is not None:
            product = self.product(slope, before, (Position(self.axis.name),), carry.type.axes, direction)
        a = self.compute("slope", (self.axis, *carry.type.axes, *direction), slope)
        b = self.compute("offset", (self.axis, *carry.type.axes), difference(value, product))
        return self.joined(carry.name, self.starts[carry.name], carry.type.axes, a, b, direction)

    def product(
        self, slope: Formula, value: str, at: Sequence[Position], axes: Sequence[Axis], direction: Sequence[Axis]
    ) -> Formula:
        """The slope times a state: entry by entry, or along an axis that it mixes."""
        mixed = {axis.name.removesuffix(BEFORE): axis.name for axis in direction}
        read = Read(value, (*at, *(Position(mixed.get(axis.name, axis.name)) for axis in axes)))
        found = Apply("mul", (slope, read))
        return Reduce("sum", tuple(direction), found, None) if direction else found

    def joined(self, hint: str, start: str, axes: Sequence[Axis], a: str, b: str, direction: Sequence[Axis]) -> str:
        """The scan that is a linear recurrence; its states with the axis in front."""
        type = TensorType(REAL, tuple(axes))
        h, at, off, new = (self.fresh(name) for name in (hint, "slope", "offset", hint))
        slope = Read(at, _positions((*axes, *direction)))
        formula = Apply("add", (self.product(slope, h, (), axes, direction), Read(off, _positions(axes))))
        step = Compute(results=(Value(new, type),), span=self.scan.span, path=self.scan.path, formula=formula)
        inputs = (Value(h, type), Value(at, TensorType(REAL, (*axes, *direction))), Value(off, type))
        last, states = self.fresh(f"{hint}_last"), self.fresh(f"{hint}_states")
        node = Scan(
            results=(Value(last, type), Value(states, TensorType(REAL, (self.axis, *axes)))),
            span=self.scan.span,
            path=self.scan.path,
            module="",
            initial=(start,),
            body=Region(inputs, (step,), (new, new)),
            axis=self.axis,
            slices=(a, b),
            solver=self.scan.solver,
        )
        self.nodes.append(node)
        return states

    def joint(
        self,
        values: Sequence[Formula],
        slopes: Sequence[Sequence[Move]],
        known: Mapping[str, str],
        before: Mapping[str, str],
    ) -> Mapping[str, str]:
        """The states of carries that mix with each other, stacked along an axis of their own."""
        carries, at = self.scan.carries, Position(self.axis.name)
        axes, count = carries[0].type.axes, Size.of(len(carries))
        row, column = Axis("carry", count), Axis(f"carry{BEFORE}", count)
        entries, offsets = [], []
        for number, (carry, value) in enumerate(zip(carries, values, strict=True)):
            line = [self.placed(known, slopes[place][number], carry.type.axes) for place in range(len(carries))]
            reads = [Read(before[one.name], (at, *_positions(one.type.axes))) for one in carries if before]
            entries.append(_chosen(line, column))
            offsets.append(difference(value, total(*map(times, line, reads))))
        a = self.compute("slope", (self.axis, *axes, row, column), _chosen(entries, row))
        b = self.compute("offset", (self.axis, *axes, row), _chosen(offsets, row))
        starts = [Read(self.starts[one.name], _positions(one.type.axes)) for one in carries]
        start = self.compute("start", (*axes, row), _chosen(starts, row))
        states = self.joined("states", start, (*axes, row), a, b, (column,))
        found = {}
        for number, carry in enumerate(carries):
            formula = Read(states, (at, *_positions(axes), Literal(number)))
            found[carry.name] = self.compute(f"{carry.name}_states", (self.axis, *carry.type.axes), formula)
        return found

    def last(self, carry: Value, states: str) -> str:
        """The state after the last position."""
        formula = Read(states, (SizeValue(self.axis.size - 1), *_positions(carry.type.axes)))
        return self.compute(f"{carry.name}_last", carry.type.axes, formula)

    def emitted(self, name: str, known: Mapping[str, str], value: Value) -> str:
        """What is emitted, with the axis whether it depends on the position or not."""
        if name in known:
            return known[name]
        own = tuple(axis for axis in value.type.axes if axis.name != self.axis.name)
        axes = self.scan.body.values[name].axes
        return self.compute(name, (self.axis, *own), Read(name, _positions(axes)))


def _chosen(parts: Sequence[Formula], axis: Axis) -> Formula:
    """One part for each position of an axis."""
    found = parts[-1]
    for number in reversed(range(len(parts) - 1)):
        found = where(Apply("eq", (Position(axis.name), Literal(number))), parts[number], found)
    return found


def _positions(axes: Sequence[Axis]) -> tuple[Position, ...]:
    return tuple(Position(axis.name) for axis in axes)


def _with_zero(nodes: Sequence[Node], carries: Collection[str]) -> list[Node]:
    """The nodes where the carries are 0."""
    return [with_formulas(node, lambda formula: at_zero(formula, carries)) for node in nodes]
