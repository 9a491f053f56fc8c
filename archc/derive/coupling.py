"""How a recursion's carries depend on those before: what a parallel evaluation of it needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archc.derive.linear import NotLinearError
from archc.derive.region import OpaqueError, is_affine, mixing
from archc.ir.node import Node, Region, Value
from archc.types.tensor_type import BOOL

LARGEST_BLOCK = 4
"""Rows of a Jacobian's blocks up to which `newton` joins steps: joining two takes the cube of that."""


class UnsuitableError(ValueError):
    """The step of a recursion cannot be joined with the one before it; `node` is what stands in the way, if any."""

    def __init__(self, reason: str, node: Node | None = None) -> None:
        super().__init__(reason)
        self.node = node


@dataclass(frozen=True)
class Coupling:
    """The Jacobian of a step. `axes` holds for every carry the axis along which its entries mix, None where they do
    not; `is_joint` says that the carries, all over the same axes, mix with each other at every position."""

    axes: tuple[str | None, ...]
    is_joint: bool

    def size(self, carries: Sequence[Value]) -> int | None:
        """The rows of the largest block, None where that is known only later."""
        sizes = [len(carries)] if self.is_joint else [1]
        for carry, axis in zip(carries, self.axes, strict=True):
            rows = 1 if axis is None else carry.type.sizes[axis].constant
            if rows is None:
                return None
            sizes.append(rows)
        return max(sizes)


def coupling(body: Region, carries: Sequence[Value]) -> Coupling:
    """How the first outputs of a loop's body depend on the carries. Raises UnsuitableError."""
    names = [carry.name for carry in carries]
    outputs = body.outputs[: len(names)]
    if any(carry.type.kind.is_integer or carry.type.kind == BOOL for carry in carries):
        raise UnsuitableError("carries what is no real number")
    try:
        found = [_own(mixing(body, (carry.name,)), carry) for carry in carries]
    except OpaqueError as error:
        raise UnsuitableError("calls a block or runs a loop on the carry", error.node) from error
    except NotLinearError as error:
        raise UnsuitableError("has no derivative that is known") from error
    crossed = any(
        output in found[place] and number != place
        for number, output in enumerate(outputs)
        for place in range(len(names))
    )
    axes = [sorted(found[number].get(output, ())) for number, output in enumerate(outputs)]
    mixed = [axis for mixes in found for output in outputs for axis in mixes.get(output, ())]
    if crossed:
        if mixed:
            raise UnsuitableError(f"joins its carries and mixes axis `{mixed[0]}`")
        if len({frozenset(carry.type.names) for carry in carries}) != 1:
            raise UnsuitableError("joins carries with different axes")
        return Coupling((None,) * len(names), is_joint=True)
    for several in axes:
        if len(several) > 1:
            raise UnsuitableError(f"mixes axes {' and '.join(f'`{axis}`' for axis in several)}")
    return Coupling(tuple(one[0] if one else None for one in axes), is_joint=False)


def _own(mixed: Mapping[str, frozenset[str]], carry: Value) -> dict[str, frozenset[str]]:
    """The axes of a carry along which its entries mix in each value; along another axis it is the same everywhere."""
    return {name: axes.intersection(carry.type.names) for name, axes in mixed.items()}


def require_affine(body: Region, carries: Sequence[Value]) -> None:
    """Raise UnsuitableError unless the carries after a pass are proved to be affine in those before it."""
    count = len(carries)
    step = Region(body.inputs, body.nodes, body.outputs[:count])
    moving = {carry.name for carry in carries}
    try:
        # what is emitted may be any function of the carries
        needed = _needed(step)
        if not is_affine(Region(step.inputs, needed, step.outputs), moving):
            raise UnsuitableError("is not affine in what it carries")
    except OpaqueError as error:
        raise UnsuitableError("calls a block or runs a loop on the carry", error.node) from error


def _needed(region: Region) -> tuple[Node, ...]:
    """The nodes that the outputs of a region depend on."""
    wanted, nodes = set(region.outputs), []
    for node in reversed(region.nodes):
        if not wanted.isdisjoint(value.name for value in node.results):
            nodes.append(node)
            wanted.update(node.arguments)
    return tuple(reversed(nodes))
