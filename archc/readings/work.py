"""The arithmetic of a region and the memory it leaves, counted on its schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from archc.ir.node import Node, Operate, Region
from archc.ops.registries import POINTWISE
from archc.readings.amount import NOTHING, Amount
from archc.readings.schedule.region import Bound, Called, Checked, Looped, Stored, schedule
from archc.readings.schedule.tensor import (
    Conv,
    ConvTranspose,
    Divide,
    Einsum,
    Expand,
    Extent,
    Flip,
    Fold,
    Input,
    Insert,
    Interleave,
    Linear,
    Map,
    Matmul,
    Merge,
    Number,
    Pad,
    Permute,
    Range,
    Roll,
    Scatter,
    Select,
    Slice,
    Take,
    Tensor,
    Training,
    Windows,
)
from archc.types.size import Condition, Facts, Size
from archc.types.tensor_type import TensorType

_VIEWS = (Permute, Insert, Expand, Merge, Divide, Slice, Select, Windows)
_GIVEN = (Input, Number, Extent, Range, Training)
_KEPT = (Linear, Matmul, Einsum, Conv, ConvTranspose, Fold, Scatter, Take, Pad, Roll, Flip, Interleave)


@dataclass(frozen=True)
class Known:
    """What is known of the sizes of a block: conditions, and plausible values that decide orders of contraction."""

    facts: Facts
    typical: Mapping[str, int]


@dataclass(frozen=True)
class Work:
    """Operations, those of them in contractions (a GEMM or a convolution), and numbers left in memory."""

    flops: Amount = NOTHING
    contractions: Amount = NOTHING
    stored: Amount = NOTHING

    @staticmethod
    def total(works: Iterator[Work]) -> Work:
        """The sum of all."""
        every = tuple(works)
        return Work(
            Amount.total(work.flops for work in every),
            Amount.total(work.contractions for work in every),
            Amount.total(work.stored for work in every),
        )


def work(region: Region, known: Known, captured: Mapping[str, TensorType]) -> Work:
    """What the formulas and operations of a region take, those of called blocks and nested loops left out.

    A contraction takes 2 operations per combination of its axes, a pointwise function its own `flops` per entry,
    another reduction one per entry. Results of nodes, contractions and reductions are left in memory, and copies; views
    and entrywise intermediates are not. An operation costs what it states, else what its formula would.
    """
    return Work.total(_Walk(region, known, captured).steps())


@dataclass
class _Walk:
    region: Region
    known: Known
    captured: Mapping[str, TensorType]
    seen: set[int] = field(default_factory=set)
    operated: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.plan = schedule(self.region, self.known.facts, self.known.typical, self.captured)

    @cached_property
    def values(self) -> dict[str, Tensor]:
        """The tensor of every value by name."""
        found = {t.step.name: t for t in self.plan.trace.tensors.values() if isinstance(t.step, Input)}
        for statement in self.plan.statements:
            if isinstance(statement, Bound):
                found[statement.value.name] = statement.laid.tensor
            elif isinstance(statement, Called | Looped):
                named = zip(statement.node.results, statement.results, strict=True)
                found.update((value.name, laid.tensor) for value, laid in named)
        return found

    @cached_property
    def operations(self) -> dict[int, Operate]:
        """The operation whose result a tensor is."""
        found: dict[int, Operate] = {}
        for statement in self.plan.statements:
            if isinstance(statement, Bound) and isinstance(statement.node, Operate):
                tensor = statement.laid.tensor
                if tensor not in [self.values[name] for name in statement.node.operands]:
                    found[tensor.serial] = statement.node
        return found

    def roots(self) -> Iterator[Tensor]:
        """The tensors that are asked for."""
        yield from self.plan.outputs
        for statement in self.plan.statements:
            if isinstance(statement, Called):
                yield from statement.invoked.operands
            elif isinstance(statement, Looped):
                yield from (*statement.initial, *(tensor for _, tensor in statement.captured))
            elif isinstance(statement, Checked) and not isinstance(statement.condition, Condition):
                yield statement.condition
            elif isinstance(statement, Stored):
                yield statement.value

    def steps(self) -> Iterator[Work]:
        """The work of every tensor that is asked for, each once."""
        stored: dict[int, Amount] = {}
        stack = list(self.roots())
        while stack:
            tensor = stack.pop()
            if tensor.serial in self.seen:
                continue
            self.seen.add(tensor.serial)
            node = self.operations.get(tensor.serial)
            if node is None:
                flops, contractions = _arithmetic(tensor)
                yield Work(flops, contractions)
                if isinstance(tensor.step, _KEPT):
                    stored[tensor.serial] = _entries(tensor)
                stack.extend(tensor.operands)
            else:
                yield from self.operation(node)
                stack.extend(self.values[name] for name in node.operands)
        for statement in self.plan.statements:
            if isinstance(statement, Bound) and statement.laid.tensor.serial in self.seen:
                tensor = self.base(statement.laid.tensor)
                if not isinstance(tensor.step, _GIVEN) and not tensor.scalar:
                    stored[tensor.serial] = _entries(tensor)
        yield Work(stored=Amount.total(iter(stored.values())))

    def operation(self, node: Node) -> Iterator[Work]:
        """An operation costs what it states or else what its formula costs, and leaves only its results."""
        if isinstance(node, Operate) and id(node) not in self.operated:
            self.operated.add(id(node))
            stated = node.operation.flops([value.type for value in node.meaning.inputs])
            if stated is not None:
                yield Work(Amount.of(stated))
                return
            inner = work(node.meaning, self.known, {})
            yield Work(inner.flops, inner.contractions)

    def base(self, tensor: Tensor) -> Tensor:
        """The tensor whose memory this one looks at."""
        while tensor.serial not in self.operations and isinstance(tensor.step, _VIEWS):
            tensor = tensor.operands[0]
        return tensor


def _entries(tensor: Tensor, factor: int = 1) -> Amount:
    return Amount.of(tensor.shape, factor)


def _arithmetic(tensor: Tensor) -> tuple[Amount, Amount]:
    """The operations of one step, and those of them in a contraction."""
    step, operands = tensor.step, tensor.operands
    match step:
        case Map(word):
            function = POINTWISE[word]
            times = 1 if function.arity is not None else max(len(operands) - 1, 1)
            return (NOTHING if tensor.scalar else _entries(tensor, function.flops * times)), NOTHING
        case Fold():
            return _entries(operands[0]), NOTHING
        case Scatter():
            return Amount.total(_entries(part) for part in operands[1:2]), NOTHING
        case Linear():
            product = Amount.of((*tensor.shape, operands[1].shape[-1]), 2)
        case Matmul():
            product = Amount.of((*tensor.shape, operands[0].shape[-1]), 2)
        case Conv():
            product = Amount.of((*tensor.shape, *operands[1].shape[1:]), 2)
        case ConvTranspose():
            product = Amount.of((*operands[0].shape, *operands[1].shape[1:]), 2)
        case Einsum(inputs, output):
            sizes = _label_sizes(inputs, operands)
            if sizes.keys() == set(output):
                return Amount.of(sizes.values()), NOTHING
            product = Amount.of(sizes.values(), 2)
        case _:
            return NOTHING, NOTHING
    bias = _entries(tensor) if len(operands) > 2 and not isinstance(step, Einsum) else NOTHING
    return product + bias, product


def _label_sizes(inputs: tuple[tuple[int, ...], ...], operands: tuple[Tensor, ...]) -> dict[int, Size]:
    return {
        label: size
        for labels, part in zip(inputs, operands, strict=True)
        for label, size in zip(labels, part.shape, strict=True)
    }
