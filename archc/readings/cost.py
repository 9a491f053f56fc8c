"""What a net costs: parameters, floating-point operations of one forward pass, and the memory of its activations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from archc.ir.graph import TypedGraph
from archc.ir.node import Call, Loop, Node, Parameter, Region, Value
from archc.ir.parameter import ANY
from archc.readings.amount import NOTHING, Amount
from archc.readings.work import Known, work
from archc.types.size import Facts, Size
from archc.types.tensor_type import TensorType

FLOAT32 = 4


@dataclass(frozen=True)
class Cost:
    """Amounts in size symbols: learned numbers, operations, those of them in contractions, bytes of activations
    (results of nodes, contractions and reductions, in float32), and numbers in states."""

    parameters: Amount = NOTHING
    flops: Amount = NOTHING
    contractions: Amount = NOTHING
    bytes: Amount = NOTHING
    states: Amount = NOTHING

    @staticmethod
    def total(costs: Iterable[Cost]) -> Cost:
        """The sum of all."""
        every = tuple(costs)
        return Cost(
            Amount.total(cost.parameters for cost in every),
            Amount.total(cost.flops for cost in every),
            Amount.total(cost.contractions for cost in every),
            Amount.total(cost.bytes for cost in every),
            Amount.total(cost.states for cost in every),
        )

    def substitute(self, sizes: Mapping[str, Size]) -> Cost:
        """The same cost with size symbols replaced."""
        return Cost(**{name: amount.substitute(sizes) for name, amount in vars(self).items()})

    def times(self, passes: Size, copies: Size) -> Cost:
        """The cost of `passes` passes over `copies` sets of weights."""
        kept = ("parameters", "states")
        return Cost(**{name: part.times(copies if name in kept else passes) for name, part in vars(self).items()})

    def evaluate(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """The numbers by the names of the fields; raises SizeError when a symbol has no value."""
        return {name: amount.evaluate(sizes) for name, amount in vars(self).items()}


@dataclass(frozen=True)
class Instance:
    """A block at its place: `path` is its module's (`*` for every pass of a loop), `passes` how often it runs;
    `outputs` and `cost` (of all passes together) are in the net's size symbols."""

    path: str
    block: str
    outputs: tuple[Value, ...]
    passes: Size
    cost: Cost


@dataclass(frozen=True)
class Costs:
    """The cost of every block in its own size symbols, what it calls included, and of every instance in the net's."""

    blocks: Mapping[str, Cost]
    instances: tuple[Instance, ...]

    @property
    def net(self) -> Cost:
        """The cost of the whole net."""
        return self.instances[0].cost


def cost(graph: TypedGraph) -> Costs:
    """The cost of a net and of each block and instance in it. Instances are in program order, the net first."""
    blocks: dict[str, Cost] = {}
    for name, block in graph.blocks.items():
        typical = {symbol.name: symbol.default for symbol in block.symbols if symbol.default is not None}
        facts = Facts((*block.facts, *(requirement.condition for requirement in block.requirements)))
        blocks[name] = _region(block.region, Known(facts, typical), {}, blocks)
    own = {symbol.name: Size.symbol(symbol.name) for symbol in graph.net.symbols}
    one = Size.of(1)
    top = Instance("", graph.entry, graph.net.outputs, one, blocks[graph.entry])
    inner = _instances(graph, graph.net.region, blocks, _Place("", own, one, one))
    return Costs(blocks, (top, *inner))


def _region(region: Region, known: Known, outer: Mapping[str, TensorType], blocks: Mapping[str, Cost]) -> Cost:
    """The cost of a region that may read `outer`, given that of the blocks it calls; the weights of a shared instance
    count once."""
    own = work(region, known, {name: outer[name] for name in region.captures})
    found = [Cost(NOTHING, own.flops, own.contractions, own.stored.times(FLOAT32))]
    modules: set[str] = set()
    scope = {**outer, **region.values}
    for node in region.nodes:
        inner = _node(node, known, scope, blocks)
        if isinstance(node, Call | Loop):
            inner = replace(inner, parameters=NOTHING, states=NOTHING) if node.module in modules else inner
            modules.add(node.module)
        found.append(inner)
    return Cost.total(found)


def _node(node: Node, known: Known, scope: Mapping[str, TensorType], blocks: Mapping[str, Cost]) -> Cost:
    """The cost of a node that the work of its region leaves out."""
    match node:
        case Parameter(role="param"):
            return Cost(parameters=Amount.of(axis.size for axis in node.result.type.axes))
        case Parameter(role="state"):
            return Cost(states=Amount.of(axis.size for axis in node.result.type.axes))
        case Call():
            return blocks[node.block].substitute(dict(node.sizes))
        case Loop():
            return _region(node.body, known, scope, blocks).times(node.passes, node.weights)
        case _:
            return Cost()


@dataclass(frozen=True)
class _Place:
    """Where a region stands: its path, what its symbols are in the net's, its passes and its sets of weights."""

    path: str
    sizes: Mapping[str, Size]
    passes: Size
    copies: Size


def _instances(graph: TypedGraph, region: Region, blocks: Mapping[str, Cost], at: _Place) -> Iterator[Instance]:
    for node in region.nodes:
        if isinstance(node, Call):
            yield from _instance(graph, node, blocks, _Place(at.path + node.module, at.sizes, at.passes, at.copies))
        elif isinstance(node, Loop):
            passes, weights = (size.substitute(at.sizes) for size in (node.passes, node.weights))
            path = f"{at.path}{node.module}" + ("" if node.is_shared else f".{ANY}")
            inside = _Place(path, at.sizes, at.passes * passes, at.copies * weights)
            if (direct := node.direct) is not None:
                yield from _instance(graph, direct, blocks, inside)
            else:
                yield from _instances(graph, node.body, blocks, replace(inside, path=f"{path}."))


def _instance(graph: TypedGraph, call: Call, blocks: Mapping[str, Cost], at: _Place) -> Iterator[Instance]:
    sizes = {name: size.substitute(at.sizes) for name, size in call.sizes}
    outputs = tuple(
        Value(name, value.type.substitute(at.sizes))
        for name, value in zip(graph.blocks[call.block].output_names, call.results, strict=True)
    )
    whole = blocks[call.block].substitute(sizes).times(at.passes, at.copies)
    yield Instance(at.path, call.block, outputs, at.passes, whole)
    inside = _Place(f"{at.path}.", sizes, at.passes, at.copies)
    yield from _instances(graph, graph.blocks[call.block].region, blocks, inside)
