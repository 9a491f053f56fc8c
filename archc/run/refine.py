"""A trained net on other bases: a finer grid, a higher degree, the function kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archc.codegen.module import generate
from archc.driver import graph
from archc.formula.tree import Formula, Position, Read, Reduce, walk
from archc.ir.arguments import attributes
from archc.ir.express import call, name
from archc.ir.graph import TypedGraph, nested
from archc.ir.node import Compute, Node, Operate, Parameter, Region
from archc.ir.parameter import parameters
from archc.ops.operation import Operation
from archc.passes.pipeline import run
from archc.readings.values import reference
from archc.run.load import instantiate, load_module
from archc.run.request import RunError
from archc.syntax.unparse import unparse
from archc.types.size import Size

_PLACES = 64
"""Places at which functions are compared, for each function of the larger basis."""


@dataclass(frozen=True)
class Expansion:
    """What a parameter is the coefficients of: along its axis number `axis`, one for each of `count` functions."""

    axis: int
    basis: Operation
    new_axis: str
    count: int

    @property
    def domain(self) -> tuple[float, float]:
        """Where the functions are compared."""
        return getattr(self.basis, "low", -1.0), getattr(self.basis, "high", 1.0)

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The functions at some places, [place, function], by what the basis means."""
        use = call(self.basis.word, name("x"))
        use = replace(use, arguments=(*use.arguments, *attributes(self.basis)))
        type = f"real[place, {self.new_axis}: {self.count}]"
        spec = f"net Basis(x: real[place]) -> (y: {type}) {{ return {unparse(use)} }}"
        return reference(graph(spec))({"x": x}, {})["y"]


def refine(net: nn.Module, before: TypedGraph, after: TypedGraph) -> nn.Module:
    """A net of the graph `after` that computes what `net`, of the graph `before`, does; see `archc.refine`."""
    old, new = (dict(_placed(one)) for one in (before, after))
    state = net.state_dict()
    first = next(iter(state.values()), torch.empty(0))
    found = instantiate(load_module(generate(run(after).graph)), {}, dtype=first.dtype)
    wanted = found.state_dict()
    if state.keys() != wanted.keys():
        raise RunError(f"one net has {_listed(state.keys() ^ wanted.keys())}, the other does not")
    for path, tensor in state.items():
        moved = _moved(tensor, old.get(path), new.get(path))
        if moved.shape != wanted[path].shape:
            shapes = f"{tuple(tensor.shape)} and {tuple(wanted[path].shape)}"
            raise RunError(f"{path} has the shapes {shapes}, but is not the coefficients of one basis in both nets")
        wanted[path] = moved
    found.load_state_dict(wanted)
    return found.to(first.device)


def _moved(tensor: Tensor, old: Expansion | None, new: Expansion | None) -> Tensor:
    """The coefficients of the functions that `tensor` gives, in the other basis."""
    if old is None or new is None or old == new or (old.axis, old.basis.word) != (new.axis, new.basis.word):
        return tensor
    x = np.linspace(*old.domain, _PLACES * max(old.count, new.count))
    fit = torch.from_numpy(np.linalg.lstsq(new.values(x), old.values(x))[0])
    moved: Tensor = torch.tensordot(tensor.double().cpu(), fit, dims=([old.axis], [1]))
    return moved.movedim(-1, old.axis).to(tensor)


def _placed(graph: TypedGraph) -> Iterator[tuple[str, Expansion]]:
    """The path of every parameter that is the coefficients of a basis, and of which."""
    given = {symbol.name: Size.of(symbol.default) for symbol in graph.net.symbols if symbol.default is not None}
    known = {key: _expansions(block.region) for key, block in graph.blocks.items()}
    for placed in parameters(graph, {}):
        met = known[placed.block].get(placed.parameter.result.name)
        count = None if met is None else placed.shape[met[0]].substitute(given).constant
        if met is not None and count is not None:
            sizes = {symbol: size.substitute(given) for symbol, size in placed.sizes.items()}
            basis = met[1].operation.resolved(partial(Size.substitute, mapping=sizes))
            yield placed.path, Expansion(met[0], basis, _new_axis(met[1]), count)


def _expansions(region: Region) -> dict[str, tuple[int, Operate]]:
    """By parameter: its axis and the basis that meet in a sum over that axis, where nothing else has it."""
    nodes = list(_nodes(region))
    learned = {node.result.name for node in nodes if isinstance(node, Parameter)}
    bases = {node.result.name: node for node in nodes if isinstance(node, Operate) and _new_axis(node)}
    found: dict[str, tuple[int, Operate]] = {}
    for node in nodes:
        for part in walk(node.formula) if isinstance(node, Compute) else ():
            for axis in part.axes if isinstance(part, Reduce) and part.kind == "sum" else ():
                uses = dict(_read_along(part, axis.name))
                basis = next((bases[value] for value in uses if value in bases), None)
                if basis is None or len(uses) != 2:
                    continue
                if uses[basis.result.name] == basis.result.type.names.index(_new_axis(basis)):
                    found.update((value, (at, basis)) for value, at in uses.items() if value in learned)
    return found


def _nodes(region: Region) -> Iterator[Node]:
    for node in region.nodes:
        yield node
        if not isinstance(node, Operate):
            for inner in nested(node):
                yield from _nodes(inner)


def _read_along(formula: Formula, axis: str) -> Iterator[tuple[str, int]]:
    """The values that are read along an axis, and along which of their own."""
    for part in walk(formula):
        if isinstance(part, Read):
            for place, index in enumerate(part.indices):
                if index == Position(axis):
                    yield part.value, place


def _new_axis(node: Operate) -> str:
    """The axis that an operation adds to the axes of its one real operand; empty where it does something else."""
    before, after = ([value.type for value in values] for values in (node.meaning.inputs, node.results))
    if len(before) != 1 or len(after) != 1 or not before[0].kind.is_real:
        return ""
    more = set(after[0].names) - set(before[0].names)
    return more.pop() if len(after[0].names) == len(before[0].names) + 1 == len(before[0].names) + len(more) else ""


def _listed(paths: set[str]) -> str:
    return ", ".join(sorted(paths))
