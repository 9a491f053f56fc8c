"""How a recursion's carries depend on those before: what a parallel evaluation of it needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archc.derive.linear import NotLinearError
from archc.derive.region import OpaqueError, is_affine, mixing
from archc.ir.graph import Block
from archc.ir.node import Call, Loop, Node, Operate, Region, Scan, Update, Value
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


def joining(scan: Scan, blocks: Mapping[str, Block]) -> Coupling:
    """What a scan whose solver asks for it needs to be evaluated at all positions at once. Raises UnsuitableError where
    it is evaluated step by step all the same. `blocks` are those that it may call."""
    found = coupling(scan.body, scan.carries)
    size = found.size(scan.carries)
    if scan.solver is not None and scan.solver.word == "newton" and (size is None or size > LARGEST_BLOCK):
        mixed = next((axis for axis in found.axes if axis is not None), "its carries")
        what = f"blocks of more than {LARGEST_BLOCK} rows cost more to join than to run"
        raise UnsuitableError(f"mixes all of `{mixed}`, and {what}")
    _require_along(scan, blocks)
    _require_drawn_once(step_of(scan.body, scan.carries), {carry.name for carry in scan.carries})
    return found


def _require_drawn_once(step: Region, moving: set[str]) -> None:
    """Raise UnsuitableError where a step draws numbers for what it carries, which it would draw in every iteration."""
    for node in step.nodes:
        if moving.isdisjoint(node.arguments):
            continue
        if isinstance(node, Operate) and node.operation.draws:
            raise UnsuitableError("draws random numbers for what it carries", node)
        moving = moving | {value.name for value in node.results}


def _require_along(scan: Scan, blocks: Mapping[str, Block]) -> None:
    """Raise UnsuitableError unless all that depends on the position can be evaluated at all of them at once."""
    moving = {value.name for value in scan.body.inputs}
    instances: dict[str, object] = {}
    for node in scan.body.nodes:
        is_moving = not moving.isdisjoint(node.arguments)
        if is_moving:
            moving.update(value.name for value in node.results)
            if isinstance(node, Loop):
                raise UnsuitableError("runs a loop on what it reads at the position", node)
        if isinstance(node, Call):
            places = tuple(name in moving for name in node.operands)
            if instances.setdefault(node.module, places) != places:
                raise UnsuitableError("uses one block on what it reads at the position and on what it does not", node)
            if is_moving and not _is_plain(blocks[node.block], scan.axis.name, blocks):
                raise UnsuitableError("calls a block that runs a loop or has an axis of that name", node)


def _is_plain(block: Block, axis: str, blocks: Mapping[str, Block]) -> bool:
    """Whether a block and those in it are formulas and operations, without an axis of that name."""
    values = block.region.values.values()
    return not any(
        isinstance(node, Loop | Update) or (isinstance(node, Call) and not _is_plain(blocks[node.block], axis, blocks))
        for node in block.region.nodes
    ) and not any(axis in type.sizes for type in values)


def coupling(body: Region, carries: Sequence[Value]) -> Coupling:
    """How the first outputs of a loop's body depend on the carries, whatever it emits. Raises UnsuitableError."""
    names = [carry.name for carry in carries]
    step = step_of(body, carries)
    outputs = step.outputs
    if any(carry.type.kind.is_integer or carry.type.kind == BOOL for carry in carries):
        raise UnsuitableError("carries what is no real number")
    try:
        found = [_own(mixing(step, (carry.name,)), carry) for carry in carries]
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
    try:
        if not is_affine(step_of(body, carries), {carry.name for carry in carries}):
            raise UnsuitableError("is not affine in what it carries")
    except OpaqueError as error:
        raise UnsuitableError("calls a block or runs a loop on the carry", error.node) from error


def step_of(body: Region, carries: Sequence[Value]) -> Region:
    """What the carries after a pass depend on in a loop's body. What is emitted may be any function of them."""
    wanted, nodes = set(outputs := body.outputs[: len(carries)]), []
    for node in reversed(body.nodes):
        if not wanted.isdisjoint(value.name for value in node.results):
            nodes.append(node)
            wanted.update(node.arguments)
    return Region(body.inputs, tuple(reversed(nodes)), outputs)
