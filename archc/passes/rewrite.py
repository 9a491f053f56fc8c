"""What one file of this package states: a pass, and what it gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from archc.ir.graph import TypedGraph
from archc.ir.node import Region
from archc.ir.parameter import parameters


@dataclass(frozen=True)
class Rewritten:
    """A graph, and where each parameter of the graph before it is found in it: path by path, `*` for every pass of a
    loop. A parameter that is not listed is gone."""

    graph: TypedGraph
    parameters: Mapping[str, str]

    def then(self, after: Rewritten) -> Rewritten:
        """This rewriting followed by one of its result."""
        paths = {old: after.parameters[new] for old, new in self.parameters.items() if new in after.parameters}
        return Rewritten(after.graph, paths)


class Pass(BaseModel, ABC):
    """A rewriting of a net, by `word`, named for its effect; its docstring says what it does. Fields are its options.

    `preserves` says what stays: `semantics` (the same numbers, but for the sign of a zero), `types` (of inputs and
    outputs), `params` (every path, shape and start). A pass makes the same graph of the same graph, and nothing more
    of its own result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    word: ClassVar[str]
    preserves: ClassVar[frozenset[str]]
    slots: ClassVar[tuple[str, ...]] = ("word", "preserves", "__doc__")

    @abstractmethod
    def apply(self, graph: TypedGraph) -> Rewritten:
        """The graph rewritten; the one given stays as it is."""


ALL = frozenset(("semantics", "types", "params"))
"""Everything that a pass can preserve."""


def kept(graph: TypedGraph) -> Rewritten:
    """A graph all of whose parameters are where they were."""
    return Rewritten(graph, {placed.path: placed.path for placed in parameters(graph)})


def in_each_block(graph: TypedGraph, change: Callable[[Region], Region]) -> TypedGraph:
    """The graph with the region of every block changed."""
    blocks = {}
    for name, block in graph.blocks.items():
        region = change(block.region)
        blocks[name] = block if region is block.region else replace(block, region=region)
    return replace(graph, blocks=blocks)
