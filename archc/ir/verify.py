"""What holds of every typed graph, checked independently of how it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from archc.base.internal import InternalError
from archc.formula.tree import Formula, Position, Read, Reduce, SizeValue, walk
from archc.ir.graph import Block, TypedGraph
from archc.ir.node import Assume, Call, Compute, Loop, Node, Operate, Parameter, Region, Scan, Stage, Update, Value
from archc.types.size import Condition, Facts, Size
from archc.types.tensor_type import Kind, TensorType

Scope = dict[str, TensorType]


def verify(graph: TypedGraph) -> None:
    """Raise InternalError with every breach of the rules of the graph.

    Every value is defined once in its block and before its uses; its type follows from its formula; every size is
    closed over the symbols of its block; every call finds its block, defined before it, with all sizes bound.
    """
    faults = list(_graph(graph))
    if faults:
        raise InternalError(faults)


def _graph(graph: TypedGraph) -> Iterator[str]:
    if graph.entry not in graph.blocks:
        yield f"there is no block {graph.entry} to enter"
    done: dict[str, Block] = {}
    for name, block in graph.blocks.items():
        if name != block.name:
            yield f"block {block.name} is kept under the name {name}"
        check = _Check(block, dict(done))
        check.block()
        yield from check.faults
        done[name] = block


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


@dataclass(frozen=True)
class _Check:
    """The check of one block; `callees` are the blocks defined before it."""

    block_: Block
    callees: Mapping[str, Block]
    faults: list[str] = field(default_factory=list)
    modules: dict[str, object] = field(default_factory=dict)

    @cached_property
    def symbols(self) -> frozenset[str]:
        return frozenset(symbol.name for symbol in self.block_.symbols)

    @cached_property
    def facts(self) -> Facts:
        needed = (requirement.condition for requirement in self.block_.requirements)
        return Facts((*self.block_.facts, *needed))

    def fault(self, where: str, text: str) -> None:
        self.faults.append(f"{self.block_.name}/{where}: {text}")

    def block(self) -> None:
        """Check signature and body."""
        block = self.block_
        for name in _repeated(symbol.name for symbol in block.symbols):
            self.fault(name, "is two size symbols")
        for name in _repeated(block.output_names):
            self.fault(name, "is two outputs")
        if len(block.output_names) != len(block.region.outputs):
            self.fault("return", f"{len(block.region.outputs)} values for {len(block.output_names)} outputs")
        for condition in (*block.facts, *(requirement.condition for requirement in block.requirements)):
            self.closed("where", condition)
        self.region(block.region, {}, set(), is_meaning=False)

    def closed(self, where: str, *sizes: Size | Condition) -> None:
        """Every symbol of the sizes is one of the block's."""
        for size in sizes:
            if loose := sorted(size.symbols - self.symbols):
                self.fault(where, f"{size} speaks of {', '.join(loose)}, no size symbol of the block")

    def region(self, region: Region, outer: Mapping[str, TensorType], defined: set[str], *, is_meaning: bool) -> Scope:
        """Check a region that may read `outer`; `defined` holds the names taken in its block."""
        scope = dict(outer)
        for value in region.inputs:
            self.define(value, scope, defined)
        for node in region.nodes:
            where = node.results[0].name if node.results else type(node).__name__
            if not 0 <= node.span.start <= node.span.end <= len(node.span.source.text):
                self.fault(where, "has no place in the spec")
            if is_meaning and not isinstance(node, Compute | Operate):
                self.fault(where, f"a {type(node).__name__} inside the meaning of an operation")
            if missing := [name for name in node.arguments if name not in scope]:
                self.fault(where, f"reads {', '.join(missing)}, not defined before")
            else:
                self.node(where, node, scope, defined)
            for value in node.results:
                self.define(value, scope, defined)
        self.updates(region, scope)
        for name in region.outputs:
            if name not in scope:
                self.fault("return", f"{name} is not defined")
        return scope

    def updates(self, region: Region, scope: Scope) -> None:
        """Each state of the region changes at most once, to a value of its type, after everything else."""
        nodes = [node for node in region.nodes if isinstance(node, Update)]
        own = [one.result.name for one in region.nodes if isinstance(one, Parameter) and one.role == "state"]
        for name in _repeated(node.state for node in nodes):
            self.fault(name, "changes twice")
        if any(not isinstance(node, Update) for node in region.nodes[len(region.nodes) - len(nodes) :]):
            self.fault("Update", "does not stand after what reads the states")
        for node in nodes:
            if node.state not in own:
                self.fault(node.state, "changes, but is no state of the region")
            elif node.value in scope:
                self.passed(node.state, (scope[node.value],), (scope[node.state],))

    def define(self, value: Value, scope: Scope, defined: set[str]) -> None:
        if value.name in defined:
            self.fault(value.name, "is defined twice")
        defined.add(value.name)
        scope[value.name] = value.type
        for name in _repeated(value.type.names):
            self.fault(value.name, f"{value.type} has two axes {name}")
        self.closed(value.name, *value.type.sizes.values())
        kind = value.type.kind
        if kind.size is not None:
            self.closed(value.name, kind.size)
        elif kind.word == "index":
            self.fault(value.name, "does not say how many positions its entries are among")
        if kind.word == "simplex" and kind.axis not in value.type.names:
            self.fault(value.name, f"{value.type} has no axis {kind.axis}")

    def node(self, where: str, node: Node, scope: Scope, defined: set[str]) -> None:
        match node:
            case Compute():
                self.formula(where, node.formula, scope, node.result.type)
            case Parameter():
                self.parameter(where, node, scope)
            case Operate():
                inner = self.region(node.meaning, {}, set(), is_meaning=True)
                self.passed(where, (scope[name] for name in node.operands), (v.type for v in node.meaning.inputs))
                outputs = [inner[name] for name in node.meaning.outputs if name in inner]
                self.passed(where, outputs, (value.type for value in node.results))
            case Call():
                self.call(where, node, scope)
            case Loop():
                self.loop(where, node, scope, defined)
            case Assume():
                if isinstance(node.condition, Condition):
                    self.closed(where, node.condition)
                else:
                    self.reads(where, node.condition, scope, {})

    def parameter(self, where: str, node: Parameter, scope: Scope) -> None:
        self.module(where, node.result.name, node)
        if node.initial is not None:
            self.closed(where, node.initial.fan_in, node.initial.fan_out)
        if node.formula is not None:
            self.formula(where, node.formula, scope, node.result.type)

    def module(self, where: str, name: str, content: object) -> None:
        """One attribute of the generated class holds one thing."""
        if self.modules.setdefault(name, content) != content:
            self.fault(where, f"the attribute {name} holds two different things")

    def call(self, where: str, call: Call, scope: Scope) -> None:
        self.module(where, call.module, ("call", call.block, call.sizes))
        self.closed(where, *(size for _, size in call.sizes))
        if call.block not in self.callees:
            self.fault(where, f"calls {call.block}, no block defined before")
            return
        callee = self.callees[call.block]
        sizes = dict(call.sizes)
        names = [symbol.name for symbol in callee.symbols]
        if not sizes.keys() >= set(names):
            self.fault(where, f"binds {', '.join(sizes)}, but {callee.name} has {', '.join(names)}")
            return
        inputs = (value.type.substitute(sizes) for value in callee.region.inputs)
        self.passed(where, (scope[name] for name in call.operands), inputs)
        outputs = (value.type.substitute(sizes) for value in callee.outputs)
        self.passed(where, outputs, (value.type for value in call.results))

    def loop(self, where: str, loop: Loop, scope: Scope, defined: set[str]) -> None:
        if isinstance(loop, Stage):
            self.stage(where, loop, scope, defined)
            return
        self.closed(where, loop.passes)
        self.module(where, loop.module, (type(loop).__name__, loop.passes, loop.weights))
        # a pass has attributes of its own
        inside = _Check(self.block_, self.callees, self.faults)
        inner = inside.region(loop.body, scope, defined, is_meaning=False)
        carries = [value.type for value in loop.carries]
        count = len(carries)
        outputs = [inner[name] for name in loop.body.outputs if name in inner]
        self.passed(where, (scope[name] for name in loop.initial), carries)
        self.passed(where, outputs[:count], carries)
        self.passed(where, carries, (value.type for value in loop.results[:count]))
        over = loop.axis.name if isinstance(loop, Scan) else ""
        sliced = [scope[name] for name in loop.slices] if isinstance(loop, Scan) else []
        self.passed(where, (without(type, over) for type in sliced), (value.type for value in loop.body.inputs[count:]))
        emitted = [value.type for value in loop.results[count:]]
        self.passed(where, outputs[count:], (without(type, over) for type in emitted))
        for type_ in (*sliced, *emitted) if isinstance(loop, Scan) else ():
            if over not in type_.sizes or not self.same(type_.sizes[over], loop.passes):
                self.fault(where, f"{type_} does not have {loop.passes} positions on {over}")

    def stage(self, where: str, stage: Stage, scope: Scope, defined: set[str]) -> None:
        self.module(where, stage.module, ("Stage", stage.results))
        inside = _Check(self.block_, self.callees, self.faults)
        inner = inside.region(stage.body, scope, defined, is_meaning=False)
        self.passed(where, (scope[name] for name in stage.initial), (value.type for value in stage.body.inputs))
        outputs = [inner[name] for name in stage.body.outputs if name in inner]
        self.passed(where, outputs, (value.type for value in stage.results))

    def passed(self, where: str, given: Iterable[TensorType], wanted: Iterable[TensorType]) -> None:
        """Types agree one by one: kind, axes by name, their sizes."""
        given, wanted = tuple(given), tuple(wanted)
        if len(given) != len(wanted):
            self.fault(where, f"{len(given)} values for {len(wanted)}")
            return
        for one, other in zip(given, wanted, strict=True):
            is_same = one.sizes.keys() == other.sizes.keys()
            if not is_same or not all(self.same(size, other.sizes[name]) for name, size in one.sizes.items()):
                self.fault(where, f"{one} is handed to {other}")
            elif not _fits(one.kind, other.kind):
                self.fault(where, f"{one.kind} is handed to {other.kind}")

    def same(self, left: Size, right: Size) -> bool:
        return left == right or self.facts.equal(left, right) is True

    def formula(self, where: str, formula: Formula, scope: Scope, result: TensorType) -> None:
        """The type of the result follows from the formula."""
        axes = dict(result.sizes)
        if loose := sorted(formula.free - axes.keys()):
            self.fault(where, f"{result} depends on the position on {', '.join(loose)}")
        self.reads(where, formula, scope, axes)

    def reads(self, where: str, formula: Formula, scope: Scope, axes: Mapping[str, Size]) -> None:
        """Every reading has one integer index per axis, and plain ones run over as many positions as there are."""
        bound = [axis for part in walk(formula) if isinstance(part, Reduce) for axis in part.axes]
        for name in _repeated((*axes, *(axis.name for axis in bound))):
            self.fault(where, f"the axis {name} is bound twice")
        known = {**axes, **{axis.name: axis.size for axis in bound}}
        self.closed(where, *(axis.size for axis in bound))
        for part in walk(formula):
            if isinstance(part, SizeValue):
                self.closed(where, part.size)
            elif isinstance(part, Read):
                self.read(where, part, scope, known)

    def read(self, where: str, read: Read, scope: Scope, axes: Mapping[str, Size]) -> None:
        if read.value not in scope:
            self.fault(where, f"reads {read.value}, not defined before")
            return
        source = scope[read.value]
        if len(source.axes) != len(read.indices):
            self.fault(where, f"reads {read.value}: {source} with {len(read.indices)} indices")
            return
        for axis, index in zip(source.axes, read.indices, strict=True):
            if isinstance(index, Position) and index.axis in axes and read.outside is None:
                size = axes[index.axis]
                inside = Condition("<=", size, axis.size)  # a prefix may be read: `let y[n: 4] = x[n: n]`
                if not self.same(axis.size, size) and self.facts.prove(inside) is not True:
                    self.fault(
                        where, f"{index.axis} has {size} positions, but {read.value} has {axis.size} on {axis.name}"
                    )
            elif isinstance(index, Read) and index.value in scope and not scope[index.value].kind.is_integer:
                self.fault(where, f"axis {axis.name} of {read.value} is indexed by {scope[index.value].kind} values")


def without(type: TensorType, axis: str) -> TensorType:
    """The type of the entries at one position of an axis."""
    return TensorType(type.kind, tuple(own for own in type.axes if own.name != axis))


def _fits(given: Kind, wanted: Kind) -> bool:
    """Whether values of one kind are values of the other: whole numbers are real, reals are complex."""
    rank = {"bool": 0, "index": 1, "int": 1, "simplex": 2, "point": 2, "real": 2, "complex": 3}
    if given.word == "bool" or wanted.word == "bool":
        return given.word == wanted.word
    return rank[given.word] <= rank[wanted.word]
