"""The nodes of the graph. Every node yields one or more values; values are named uniquely within their block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from archc.base.span import Span
from archc.formula.tree import Formula
from archc.types.size import Condition, Size
from archc.types.tensor_type import Axis, TensorType

if TYPE_CHECKING:
    from archc.ops.operation import Operation


@dataclass(frozen=True)
class Value:
    """A value of a region: its identifier and its type."""

    name: str
    type: TensorType


@dataclass(frozen=True)
class Initial:
    """How a parameter starts: an initialiser's word with its arguments, and the fans that scale it."""

    word: str
    arguments: tuple[float, ...] = ()
    fan_in: Size = field(default_factory=lambda: Size.of(1))
    fan_out: Size = field(default_factory=lambda: Size.of(1))

    @staticmethod
    def fans(axes: Sequence[Axis]) -> tuple[Size, Size]:
        """The fans of a tensor by its own axes: it leads from all but the first to the first."""
        sizes = [axis.size for axis in axes]
        return prod(sizes[1:] or sizes, start=Size.of(1)), sizes[0] if sizes else Size.of(1)


@dataclass(frozen=True, kw_only=True)
class Node:
    """Base of all nodes: `span` is where the spec says it, `path` the chain of blocks and layers that led there."""

    results: tuple[Value, ...]
    span: Span = field(compare=False, repr=False)
    path: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Identifiers of the values read."""
        return ()

    @property
    def result(self) -> Value:
        """The only result of a node that has one."""
        (value,) = self.results
        return value


@dataclass(frozen=True, kw_only=True)
class Parameter(Node):
    """A learned tensor, a fixed one (`const`) or one that changes as the module runs (`state`).

    The result's name is its attribute in the generated class. `formula` gives a constant in closed form.
    """

    role: str = "param"
    initial: Initial | None = None
    formula: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Update(Node):
    """What a state of the region holds after the run: a value over the state's axes, kept without its gradient. It
    stands after all that the region computes, which reads the state as it was; it has no results."""

    state: str
    value: str

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.state, self.value)


@dataclass(frozen=True, kw_only=True)
class Compute(Node):
    """A value given by a formula; the free axes of the formula are among the axes of the result's type."""

    formula: Formula

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.formula.reads


@dataclass(frozen=True, kw_only=True)
class Operate(Node):
    """A named operation. `meaning` is its formula, elaborated for these operands: a region whose inputs are the
    operands in order (named in the region's own way) and whose outputs are the results."""

    operation: Operation
    operands: tuple[str, ...]
    meaning: Region

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.operands


@dataclass(frozen=True, kw_only=True)
class Call(Node):
    """An instance of a block. `block` is its key in the graph, `module` the attribute that holds the instance (the same
    for every use of a shared one), `sizes` what the block's size symbols are here, in terms of the caller's."""

    block: str
    module: str
    operands: tuple[str, ...]
    sizes: tuple[tuple[str, Size], ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.operands


@dataclass(frozen=True, kw_only=True)
class Loop(Node):
    """A recursion with a nested region. The first inputs of the body are the carries, which start at `initial`, and its
    first outputs what the next pass starts from; values of the enclosing region may be read inside (`captures`)."""

    module: str
    initial: tuple[str, ...]
    body: Region

    @property
    def captures(self) -> tuple[str, ...]:
        """Values of the enclosing region that the body reads."""
        return self.body.captures

    @property
    def given(self) -> tuple[str, ...]:
        """Values of the enclosing region that the inputs of the body come from."""
        return self.initial

    @property
    def arguments(self) -> tuple[str, ...]:
        return (*self.given, *self.captures)

    @property
    def carries(self) -> tuple[Value, ...]:
        """What each pass starts from."""
        return self.body.inputs[: len(self.initial)]

    @property
    def passes(self) -> Size:
        """How many passes there are at most."""
        raise NotImplementedError

    @property
    def weights(self) -> Size:
        """How many sets of parameters there are."""
        return Size.of(1)

    @property
    def is_shared(self) -> bool:
        """Whether all passes use one set of parameters."""
        return True

    @property
    def direct(self) -> Call | None:
        """The call that is the whole body where the module of a pass is that of the call."""
        return None


@dataclass(frozen=True, kw_only=True)
class Repeat(Loop):
    """`repeat count with carries`. Parameters inside are one set per pass, or one for all passes when `shared`."""

    count: Size
    shared: bool

    @property
    def passes(self) -> Size:
        return self.count

    @property
    def weights(self) -> Size:
        return Size.of(1) if self.shared else self.count

    @property
    def is_shared(self) -> bool:
        return self.shared

    @property
    def direct(self) -> Call | None:
        """The call that is the whole body, if it is: the module list then holds its instances themselves
        (`self.h = ModuleList(Encoder(...) ...)`), and parameter paths leave out the call's own module name."""
        only = self.body.nodes[0] if len(self.body.nodes) == 1 else None
        return only if isinstance(only, Call) and not self.captures else None


@dataclass(frozen=True)
class Solver:
    """How a loop is evaluated: a word with its numbers, such as `newton(iterations = 3)`."""

    word: str
    arguments: tuple[tuple[str, int | float], ...] = ()

    def __getitem__(self, name: str) -> int | float:
        return dict(self.arguments)[name]


@dataclass(frozen=True, kw_only=True)
class Scan(Loop):
    """`scan over axis with carries`, from the first position of `axis` to the last.

    `slices` are values of the enclosing region that have the axis; the body's inputs after the carries are their
    entries at the position at hand, without the axis. Its outputs after the carries are what each pass emits. The
    results are the last carries, then all that was emitted, with the axis.
    """

    axis: Axis
    slices: tuple[str, ...] = ()
    solver: Solver | None = None

    @property
    def is_joined(self) -> bool:
        """Whether it is a linear recurrence of one carry, `h = a h + b` or `h = (sum j: a h) + b`, with a and b for
        slices, which emits what it carries: what steps come to that are joined. It has no module."""
        return not self.module

    @property
    def given(self) -> tuple[str, ...]:
        return (*self.initial, *self.slices)

    @property
    def passes(self) -> Size:
        return self.axis.size


@dataclass(frozen=True, kw_only=True)
class Stage(Loop):
    """A region that runs once under a module of its own: what a loop becomes whose steps are taken all at once.

    `initial` are the inputs of the body, its outputs are the results. It has no text; passes make it.
    """

    @property
    def carries(self) -> tuple[Value, ...]:
        return ()

    @property
    def passes(self) -> Size:
        return Size.of(1)


@dataclass(frozen=True, kw_only=True)
class Fixpoint(Loop):
    """`fixpoint with carries`: the values at which the body gives back what it starts from; `initial` are where the
    search begins."""

    solver: Solver

    @property
    def passes(self) -> Size:
        return Size.of(int(self.solver["limit"]))


@dataclass(frozen=True, kw_only=True)
class Assume(Node):
    """A condition checked when the module runs, at every position of `axes`; it has no results."""

    condition: Formula | Condition
    axes: tuple[Axis, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.condition.reads if isinstance(self.condition, Formula) else ()


@dataclass(frozen=True)
class Region:
    """A straight list of nodes in program order (every value before its uses), with inputs and outputs."""

    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    @property
    def values(self) -> dict[str, TensorType]:
        """Type by identifier of every value defined here, inputs included."""
        found = {value.name: value.type for value in self.inputs}
        for node in self.nodes:
            found.update((value.name, value.type) for value in node.results)
        return found

    @property
    def captures(self) -> tuple[str, ...]:
        """Values read here and defined outside, in order of first use."""
        own = self.values
        used = (name for node in self.nodes for name in node.arguments)
        return tuple(dict.fromkeys(name for name in (*used, *self.outputs) if name not in own))

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call here and in nested regions, in order."""
        found: list[Call] = []
        for node in self.nodes:
            if isinstance(node, Call):
                found.append(node)
            elif isinstance(node, Loop):
                found += node.body.calls
        return tuple(found)
