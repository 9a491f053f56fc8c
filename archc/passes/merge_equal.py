"""What is computed twice, computed once."""

from __future__ import annotations

from typing import ClassVar, final

from archc.formula.rename import numbered
from archc.formula.tree import Position, Read
from archc.ir.graph import TypedGraph
from archc.ir.node import Compute, Node, Operate, Region
from archc.ir.rewrite import reading, with_nodes, with_regions
from archc.passes.rewrite import ALL, Pass, Rewritten, in_each_block, kept
from archc.types.tensor_type import TensorType


@final
class MergeEqual(Pass):
    """Lets two nodes of a region that say the same be one, the first; a node that says what a value is already gives
    way to that value. Formulas say the same whatever their reductions call the axes that they bind."""

    word = "merge_equal"
    preserves: ClassVar[frozenset[str]] = ALL

    def apply(self, graph: TypedGraph) -> Rewritten:
        return kept(in_each_block(graph, lambda region: _merged(region, {}, {})))


def _merged(region: Region, names: dict[str, str], types: dict[str, TensorType]) -> Region:
    """The region with its equal nodes merged; `names` says what became of those left out, `types` what values are.

    Both are one for a whole block, whose values are named apart.
    """
    types.update((value.name, value.type) for value in region.inputs)
    found: dict[object, Node] = {}
    nodes: list[Node] = []
    for before in region.nodes:
        node = with_regions(reading(before, names), lambda inner: _merged(inner, names, types))
        source = _source(node, types)
        if source is not None:
            names[node.result.name] = source
            continue
        first = found.setdefault(_key(node), node)
        if first is node:
            nodes.append(node)
            types.update((value.name, value.type) for value in node.results)
        else:
            names.update((own.name, other.name) for own, other in zip(node.results, first.results, strict=True))
    return with_nodes(region, nodes, tuple(names.get(name, name) for name in region.outputs))


def _source(node: Node, types: dict[str, TensorType]) -> str | None:
    """The value that a node repeats as it is, None where it says something of its own."""
    if not isinstance(node, Compute) or not isinstance(node.formula, Read) or node.formula.outside is not None:
        return None
    type = node.result.type
    plain = tuple(Position(name) for name in type.names)
    return node.formula.value if node.formula.indices == plain and types[node.formula.value] == type else None


def _key(node: Node) -> object:
    """What a node says: equal for nodes that may be merged, its own for every other."""
    match node:
        case Compute(formula=formula):
            return numbered(formula), node.result.type
        case Operate(operation=operation, operands=operands) if not operation.draws:
            return operation, operands, tuple(value.type for value in node.results)
        case _:
            return id(node)
