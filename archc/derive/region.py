"""Derivatives of a region, value by value: what a step of a recursion does to what it carries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archc.derive.linear import affine_in, mixed
from archc.derive.tangent import Move, tangent
from archc.formula.algebra import is_number
from archc.formula.rename import distinct
from archc.formula.tree import Literal, Position, Read
from archc.ir.node import Assume, Compute, Node, Operate, Parameter, Region, Value
from archc.ir.rewrite import with_names
from archc.types.tensor_type import REAL, Axis, TensorType


class OpaqueError(ValueError):
    """A node that depends on the values has no formula to derive: a call or a loop. `node` is the node."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"a {type(node).__name__} at {node.span} has no formula")
        self.node = node


def is_affine(region: Region, values: Collection[str]) -> bool:
    """Whether every output of the region is proved to be affine in some of its inputs together. Raises OpaqueError."""
    moving = set(values)
    for node in region.nodes:
        if moving.isdisjoint(node.arguments):
            continue
        match node:
            case Compute(formula=formula):
                proved = affine_in(formula, moving)
            case Operate(operands=operands, meaning=meaning):
                pairs = zip(meaning.inputs, operands, strict=True)
                proved = is_affine(meaning, {inner.name for inner, operand in pairs if operand in moving})
            case Assume():
                proved = False
            case _:
                raise OpaqueError(node)
        if not proved:
            return False
        moving.update(value.name for value in node.results)
    return True


def mixing(region: Region, values: Collection[str]) -> Mapping[str, frozenset[str]]:
    """For each value that depends on some inputs of the region, the axes along which it depends on other entries of
    theirs than the one at its own position. A value that is missing does not depend on them. Raises OpaqueError.

    Where an output has none, its derivative is diagonal; where it has some, a block over them at each position of the
    others.
    """
    types = region.values
    found: dict[str, frozenset[str]] = dict.fromkeys(values, frozenset())
    for node in region.nodes:
        moving = [name for name in dict.fromkeys(node.arguments) if name in found]
        if not moving or isinstance(node, Assume):
            continue
        match node:
            case Compute(formula=formula):
                axes = [mixed(formula, name, types[name].names) for name in moving]
                found[node.result.name] = frozenset().union(*axes, *(found[name] for name in moving))
            case Operate(operands=operands, meaning=meaning, results=results):
                pairs = list(zip(meaning.inputs, operands, strict=True))
                inner = mixing(meaning, [inside.name for inside, operand in pairs if operand in found])
                before = frozenset().union(*(found[name] for name in moving))
                for output, value in zip(meaning.outputs, results, strict=True):
                    if output in inner:
                        found[value.name] = before | inner[output]
            case _:
                raise OpaqueError(node)
    return found


def meant(node: Operate, fresh: Callable[[str], str]) -> Iterator[tuple[Node, bool]]:
    """The formula of an operation node by node, with its operands and results as they are called around it and the
    values in between under fresh names. With each goes whether it gives a result, which the operation has given."""
    meaning = node.meaning
    names = {inner.name: operand for inner, operand in zip(meaning.inputs, node.operands, strict=True)}
    results = {out: value.name for out, value in zip(meaning.outputs, node.results, strict=True)}
    for value in (value for part in meaning.nodes for value in part.results):
        names[value.name] = results.get(value.name) or fresh(value.name)
    given = {value.name for value in node.results}
    for part in with_names(meaning, names).nodes:
        yield part, given.issuperset(value.name for value in part.results)
    for out, value in zip(meaning.outputs, node.results, strict=True):
        if names[out] != value.name:  # an operand as it is, or a result that is given twice
            read = Read(names[out], tuple(Position(name) for name in value.type.names))
            yield Compute(results=(value,), span=node.span, path=node.path, formula=read), True


def is_drawn_inside(node: Node) -> bool:
    """Whether it is an operation on numbers that it draws itself: what is derived of it has to read the same ones, so
    its formula is then computed in its place."""
    return isinstance(node, Operate) and any(
        isinstance(part, Operate) and part.operation.draws for part in node.meaning.nodes
    )


@dataclass(frozen=True)
class Tangents:
    """`nodes` compute a region's values and how they move; `outputs` is what each output moves by: a value of the
    output's axes and those of the direction, or a number."""

    nodes: tuple[Node, ...]
    outputs: tuple[Move, ...]


def tangents(
    region: Region, moves: Mapping[str, Move], fresh: Callable[[str], str], direction: Sequence[Axis] = ()
) -> Tangents:
    """How the outputs of a region move where some of the values that it reads do.

    `moves` says what a value moves by: a value of its axes in order, then those of `direction`, or a number. Moving one
    input by 1 gives the diagonal of the Jacobian where it is one (see `mixing`); moving it along a direction by 1 where
    the positions are equal gives blocks. `fresh` makes a name for a new value from a hint. Raises OpaqueError.
    """
    forward = _Forward(moves, fresh, direction)
    for node in region.nodes:
        forward.add(node)
    return Tangents(tuple(forward.nodes), tuple(forward.moves.get(name, Literal(0.0)) for name in region.outputs))


class _Forward:
    def __init__(self, moves: Mapping[str, Move], fresh: Callable[[str], str], direction: Sequence[Axis]) -> None:
        self.moves = dict(moves)
        self.fresh = fresh
        self.direction = tuple(direction)
        self.nodes: list[Node] = []

    def add(self, node: Node, *, is_known: bool = False) -> None:
        """A node, unless its value is known already, then how its results move."""
        is_moving = not self.moves.keys().isdisjoint(node.arguments)
        is_opened = is_moving and is_drawn_inside(node)
        if not is_known and not is_opened:
            self.nodes.append(node)
        if not is_moving:
            return
        match node:
            case Compute():
                self.move(node)
            case Operate():
                for part, known in meant(node, self.fresh):
                    self.add(part, is_known=known and not is_opened)
            case Assume() | Parameter():
                pass
            case _:
                raise OpaqueError(node)

    def move(self, node: Compute) -> None:
        """How the value of a formula moves."""
        value = node.result
        own = Read(value.name, tuple(Position(name) for name in value.type.names))
        moved = tangent(node.formula, self.moves, [axis.name for axis in self.direction], own)
        axes = (*value.type.axes, *self.direction)
        if is_number(moved, 0):
            return
        if isinstance(moved, Literal):
            self.moves[value.name] = moved
        elif isinstance(moved, Read) and moved == Read(moved.value, tuple(Position(axis.name) for axis in axes)):
            self.moves[value.name] = moved.value
        else:
            moved = distinct(moved, frozenset(axis.name for axis in axes))
            result = Value(self.fresh(f"{value.name}_slope"), TensorType(REAL, axes))
            self.nodes.append(Compute(results=(result,), span=node.span, path=node.path, formula=moved))
            self.moves[value.name] = result.name
