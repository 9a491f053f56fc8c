"""A typed graph as text, in the core of the language: every axis and size written out, nothing lifted or inlined.

The text is a spec that elaborates to the same graph: each block of the graph is a `block`, each node a statement under
its own name. It does not say where the graph came from: spans, paths, and what a specialised block was called.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from archc.formula.tree import Apply, Formula, Literal, Read, numbers
from archc.ir.arguments import attributes
from archc.ir.express import NOWHERE, Express, call, condition_expr, name, number, size_expr
from archc.ir.graph import Block, TypedGraph
from archc.ir.node import (
    Assume,
    Call,
    Compute,
    Fixpoint,
    Initial,
    Loop,
    Node,
    Operate,
    Parameter,
    Region,
    Repeat,
    Scan,
    Solver,
    Update,
)
from archc.ir.rewrite import reading, values_of, with_names
from archc.syntax import tree
from archc.syntax.unparse import unparse
from archc.types.condition import Condition
from archc.types.tensor_type import Axis, Kind, TensorType


def print_graph(graph: TypedGraph) -> str:
    """The text of a graph; `archc.driver.graph` of it gives a graph that is the `same`."""
    definitions = tuple(_Printer(graph, block).definition() for block in graph.blocks.values())
    return unparse(tree.Spec(span=NOWHERE, uses=(), definitions=definitions, comments=())) + "\n"


@dataclass(frozen=True)
class _Printer:
    """The text of one block."""

    graph: TypedGraph
    block: Block
    inside: Mapping[str, TensorType] = field(default_factory=dict)
    """The types of values within the loop at hand, where they are not those outside."""
    along: tuple[Axis, ...] = ()
    """The axes of the scans around."""

    @cached_property
    def express(self) -> Express:
        """The formulas of the block."""
        return Express({**values_of(self.block.region), **self.inside}, self.homes, {})

    @cached_property
    def homes(self) -> dict[str, tuple[str, ...]]:
        """An input and its axis, or the axis of a scan alone, for every symbol that is the size of one."""
        axes = {symbol.name for symbol in self.block.symbols if symbol.role == "axis"}
        found: dict[str, tuple[str, ...]] = {}
        for value in self.block.region.inputs:
            for axis in self.inside.get(value.name, value.type).axes:
                if axis.size.name in axes:
                    found.setdefault(axis.size.name, (value.name, axis.name))
        for axis in self.along:
            if axis.size.name in axes:
                found.setdefault(axis.size.name, (axis.name,))
        return found

    @cached_property
    def shared(self) -> dict[str, Call]:
        """The first call of every module that calls must name: one with several calls, or with a name of its own."""
        calls = self.block.region.calls
        times = Counter(one.module for one in calls)
        found: dict[str, Call] = {}
        for one in calls:
            word = re.sub(r"(?<=.)(__\d+)+$", "", one.block)
            if times[one.module] > 1 or not re.fullmatch(rf"{re.escape(word)}(_\d+)?", one.module):
                found.setdefault(one.module, one)
        return found

    def definition(self) -> tree.Definition:
        """The block as a definition: its symbols as hyper-parameters and axes, its conditions as promises."""
        block = self.block
        conditions = (*block.facts, *(requirement.condition for requirement in block.requirements))
        shares = tuple(
            tree.Share(span=NOWHERE, name=module, value=call(one.block, **self.hypers(one)))
            for module, one in self.shared.items()
        )
        body = self.body(block.region)
        return tree.Definition(
            span=NOWHERE,
            role=block.role,
            name=block.name,
            hypers=tuple(
                tree.Hyper(
                    span=NOWHERE,
                    name=symbol.name,
                    kind="int",
                    choices=(),
                    default=None if symbol.default is None else number(symbol.default),
                )
                for symbol in block.symbols
                if symbol.role == "hyper"
            ),
            inputs=tuple(self.port(value.name, value.type) for value in block.region.inputs),
            outputs=tuple(self.port(value.name, value.type) for value in block.outputs),
            conditions=tuple(condition_expr(one) for one in dict.fromkeys(conditions) if one.symbols),
            claims=tuple(self.claims()),
            body=replace(body, statements=(*shares, *body.statements)),
            head=NOWHERE,
        )

    def claims(self) -> Iterator[tree.Claim]:
        """The claims that are made and speak of axes which the inputs have."""
        axes = {axis for value in self.block.region.inputs for axis in value.type.names}
        made = {claim.span for claim in self.block.claims}
        for claim in self.block.definition.claims if self.block.definition else ():
            spoken = {one.text for action in claim.actions for one in action.arguments if isinstance(one, tree.Name)}
            if claim.span in made and spoken <= axes:
                yield replace(claim, condition=None)

    # types

    def port(self, word: str, type: TensorType) -> tree.Port:
        return tree.Port(span=NOWHERE, name=word, type=self.type(type), default=None)

    def type(self, type: TensorType) -> tree.Type:
        return tree.Type(span=NOWHERE, kind=type.kind.word, of=self.of(type.kind), axes=self.axes(type))

    def of(self, kind: Kind) -> tree.Expr | None:
        """What a kind speaks of: an axis of the inputs, or how many positions there are."""
        if kind.axis is not None:
            return name(kind.axis)
        if kind.size is None:
            return None
        return call("size", name(kind.size.name)) if kind.size.name in self.homes else size_expr(kind.size)

    def axes(self, type: TensorType) -> tuple[tree.AxisType, ...]:
        return tuple(map(self.axis, type.axes))

    def axis(self, axis: Axis) -> tree.AxisType:
        """An axis with its size, which an input's own axis and a twin have from there."""
        is_known = axis.size.name == axis.name and self.homes.get(axis.name, ("",))[-1] == axis.name
        size = None if is_known or axis.twin is not None else size_expr(axis.size)
        return tree.AxisType(span=NOWHERE, name=name(axis.name), size=size, twin=axis.twin)

    # statements

    def body(self, region: Region) -> tree.Body:
        """The statements of a region, those that change states last. A `let` keeps the kind of its formula; what is of
        another one is written where it is returned or stored, as are such values after it, since there a port, a carry
        or a state says what it becomes."""
        ends = {*region.outputs, *(node.value for node in region.nodes if isinstance(node, Update))}
        converted: list[Compute] = []
        statements: list[tree.Statement] = []
        updates: list[Update] = []
        for node in region.nodes:
            result = node if isinstance(node, Compute) and node.result.name in ends else None
            if result is not None and (converted or self.is_converted(result)):
                converted.append(result)
            elif isinstance(node, Update):
                updates.append(node)
            else:
                statements.append(self.statement(node))
        before = self.before(region, updates, converted)
        statements += [self.let(word, name(state)) for state, word in before.items()]
        inner = replace(self, inside={**self.inside, **{word: region.values[state] for state, word in before.items()}})
        ending = {one.result.name: inner.result(_reading(one, before)) for one in converted}

        def end(value: str) -> tree.Expr:
            return ending.get(value) or name(before.get(value, value))

        statements += [self.let(node.state, end(node.value)) for node in updates]
        results = tuple(map(end, region.outputs))
        return tree.Body(span=NOWHERE, statements=tuple(statements), results=results)

    def before(self, region: Region, updates: Iterable[Update], ends: Iterable[Compute]) -> dict[str, str]:
        """Names under which states are read after the statements that change them, as they were before."""
        read = {*region.outputs, *(node.value for node in updates), *(name for one in ends for name in one.arguments)}
        taken = set(self.express.types)
        found: dict[str, str] = {}
        for state in (node.state for node in updates if node.state in read):
            words = (f"{state}_before{number}" for number in ("", *range(2, len(taken) + 3)))
            found[state] = next(word for word in words if word not in taken)
            taken.add(found[state])
        return found

    def let(self, word: str, value: tree.Expr) -> tree.Let:
        return tree.Let(span=NOWHERE, names=(word,), axes=None, value=value)

    def is_converted(self, node: Compute) -> bool:
        """Whether a result is of another kind than its formula: a whole number, a distribution or a point taken as a
        real."""
        kind, formula = node.result.type.kind, node.formula
        if isinstance(formula, Read):
            return self.express.types[formula.value].kind != kind
        return kind.word == "real" and (self.is_point(formula) or not any(map(self.is_real, numbers(formula))))

    def is_point(self, formula: Formula) -> bool:
        """Whether a formula is a point: one point and what it is moved by. The difference of two is none."""
        match formula:
            case Read(value=value):
                return self.express.types[value].kind.word == "point"
            case Apply(function="add" | "sub", operands=operands):
                return sum(map(self.is_point, operands)) == 1
        return False

    def is_real(self, formula: Formula) -> bool:
        if isinstance(formula, Read):
            return self.express.types[formula.value].kind.word in ("real", "simplex", "complex", "point")
        return isinstance(formula, Literal) and isinstance(formula.value, float)

    def statement(self, node: Node) -> tree.Statement:
        """A node as the statement that makes it again."""
        match node:
            case Parameter():
                return self.declaration(node)
            case Compute():
                axes = self.axes(node.result.type)
                return tree.Let(span=NOWHERE, names=self.names(node), axes=axes, value=self.result(node))
            case Operate():
                value: tree.Expr = self.operation(node)
            case Call():
                value = self.call(node)
            case Repeat():
                value = self.repeat(node)
            case Scan():
                value = self.scan(node)
            case Fixpoint(solver=solver, body=body):
                value = tree.Fixpoint(
                    span=NOWHERE, carries=self.carries(node), solver=_using(solver), body=self.body(body)
                )
            case Assume(condition=Condition() as condition):
                return tree.Assume(span=NOWHERE, condition=condition_expr(condition))
            case Assume(condition=Formula() as truth, axes=axes):
                inner = self.express.within({axis.name: axis.size for axis in axes})
                return tree.Assume(span=NOWHERE, condition=inner.formula(truth))
            case _:
                raise TypeError(f"a {type(node).__name__} has no text")
        return tree.Let(span=NOWHERE, names=self.names(node), axes=None, value=value)

    def names(self, node: Node) -> tuple[str, ...]:
        return tuple(value.name for value in node.results)

    def result(self, node: Compute) -> tree.Expr:
        return self.express.within(node.result.type.sizes).formula(node.formula)

    def declaration(self, node: Parameter) -> tree.Declaration:
        type = node.result.type
        if node.formula is not None:
            start: tree.Expr | None = self.express.within(type.sizes).formula(node.formula)
        else:
            start = None if node.initial is None else self.start(node.initial, type)
        return tree.Declaration(
            span=NOWHERE, role=node.role, names=self.names(node), type=self.type(type), initial=start
        )

    def start(self, initial: Initial, type: TensorType) -> tree.Expr:
        """An initialiser, with the fans that are not those of the parameter's own axes."""
        own = zip(("fan_in", "fan_out"), (initial.fan_in, initial.fan_out), Initial.fans(type.axes), strict=True)
        fans = {word: size_expr(given) for word, given, usual in own if given != usual}
        if not fans and not initial.arguments:
            return name(initial.word)
        return call(initial.word, *map(number, initial.arguments), **fans)

    def operation(self, node: Operate) -> tree.Call:
        found = call(node.operation.word, *map(name, node.operands))
        return replace(found, arguments=(*found.arguments, *attributes(node.operation)))

    def call(self, node: Call) -> tree.Call:
        operands = map(name, node.operands)
        if node.module in self.shared:
            return call(node.module, *operands)
        return call(node.block, *operands, **self.hypers(node))

    def hypers(self, node: Call) -> dict[str, tree.Expr]:
        """What the hyper-parameters of the called block are here."""
        sizes = dict(node.sizes)
        symbols = self.graph.blocks[node.block].symbols
        return {symbol.name: size_expr(sizes[symbol.name]) for symbol in symbols if symbol.role == "hyper"}

    def carries(self, node: Loop) -> tuple[tree.Carry, ...]:
        return tuple(
            tree.Carry(span=NOWHERE, name=value.name, initial=name(initial))
            for value, initial in zip(node.carries, node.initial, strict=True)
        )

    def scan(self, node: Scan) -> tree.Scan:
        """A scan; its body speaks of the values outside whose entries it reads."""
        count = len(node.initial)
        sources = zip(node.body.inputs[count:], node.slices, strict=True)
        body = with_names(node.body, {entry.name: source for entry, source in sources})
        inner = replace(self, inside={**self.inside, **body.values}, along=(*self.along, node.axis))
        printed = inner.body(replace(body, outputs=body.outputs[:count]))
        emitted = tuple(tree.Emit(span=NOWHERE, value=name(output)) for output in body.outputs[count:])
        axis = tree.AxisSize(span=NOWHERE, name=name(node.axis.name), size=size_expr(node.axis.size))
        return tree.Scan(
            span=NOWHERE,
            axis=replace(axis, size=None) if node.slices else axis,
            carries=self.carries(node),
            solver=None if node.solver is None else _using(node.solver),
            body=replace(printed, statements=(*printed.statements, *emitted)),
        )

    def repeat(self, node: Repeat) -> tree.Repeat:
        return tree.Repeat(
            span=NOWHERE,
            count=size_expr(node.count),
            label=None,
            shared=node.shared,
            carries=self.carries(node),
            body=self.body(node.body),
        )


def _reading(node: Compute, names: Mapping[str, str]) -> Compute:
    found = reading(node, names)
    assert isinstance(found, Compute)
    return found


def _using(solver: Solver) -> tree.Call:
    return call(solver.word, **{word: number(value) for word, value in solver.arguments})
