"""What a name or an expression may stand for while a spec is elaborated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archc.formula.tree import Formula, Literal, Position, Read
from archc.ir.node import Value
from archc.syntax import tree
from archc.syntax.tree import Port
from archc.types.size import Size
from archc.types.tensor_type import REAL, Axis, Kind

if TYPE_CHECKING:
    from archc.elaborate.library import File
    from archc.elaborate.scope import Scope
    from archc.elaborate.tuples import Flattened


@dataclass(frozen=True)
class Term:
    """A formula under construction: its free axes with their sizes in the order a reader expects, its kind, and what
    to call it where it becomes a value that the spec does not name."""

    formula: Formula
    axes: tuple[Axis, ...] = ()
    kind: Kind = REAL
    hint: str = field(default="value", compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.axes)

    def size(self, axis: str) -> Size | None:
        """The size of a free axis, None where it has no such axis."""
        return next((own.size for own in self.axes if own.name == axis), None)

    @property
    def is_plain(self) -> bool:
        """Whether it reads a whole value as it stands, or under other axis names."""
        formula = self.formula
        return (
            isinstance(formula, Read)
            and formula.outside is None
            and all(isinstance(index, Position) for index in formula.indices)
        )

    def __str__(self) -> str:
        return f"{self.kind}[{', '.join(self.names)}]"


@dataclass(frozen=True)
class Several:
    """The results of a call that gives more than one; one that is a tuple itself stands for its parts."""

    terms: tuple[Term | Several, ...]

    @property
    def flat(self) -> tuple[Term, ...]:
        """All values in order, those of inner tuples too."""
        return tuple(part for one in self.terms for part in (one.flat if isinstance(one, Several) else (one,)))


def together(terms: Sequence[Term | Several]) -> Term | Several:
    """One value as it is, several as a tuple."""
    return terms[0] if len(terms) == 1 else Several(tuple(terms))


@dataclass(frozen=True)
class Extent:
    """A hyper-parameter that is a whole number."""

    size: Size


@dataclass(frozen=True)
class Scalar:
    """A hyper-parameter that is a real number."""

    value: float


@dataclass(frozen=True)
class Flag:
    """A hyper-parameter that is a truth value."""

    value: bool


@dataclass(frozen=True)
class Word:
    """A word of a `choice(...)`."""

    text: str


@dataclass(frozen=True)
class AxisList:
    """A list of axes bound to a hyper-parameter."""

    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class BoundAxis:
    """An axis in scope: as a value its position, as a size its size."""

    axis: Axis


@dataclass(frozen=True)
class Definition:
    """A block or net with the file whose names it sees; `flat` says which of its ports were tuples, `starts` what
    ports stand for that a call leaves to their defaults."""

    tree: tree.Definition
    file: File = field(repr=False)
    flat: Flattened = field(repr=False)
    starts: tuple[Port, ...] = ()

    @property
    def is_faulty(self) -> bool:
        """Whether its signature is known to be wrong."""
        return self.tree.name in self.file.faulty

    def __hash__(self) -> int:
        return id(self.tree)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Definition) and self.tree is other.tree


@dataclass(frozen=True)
class Partial:
    """A block with hyper-parameters bound by name; applied to operands it is a call, on an edge an edge family.

    `sharing` names the one set of weights that every use has (`share f = ...`).
    """

    definition: Definition
    hypers: tuple[tuple[str, Binding], ...] = ()
    sharing: Sharing | None = None


@dataclass(frozen=True)
class Instance:
    """The instance of a shared block: its attribute, what it is an instance of, and the loops around its calls."""

    module: str
    block: str
    sizes: Mapping[str, Size]
    loops: tuple[object, ...]


@dataclass(eq=False)
class Sharing:
    """One set of weights: the parameters and instance that the first use made; `parts` are those of its joint edges.

    A use asks for them in the same order as the first: `key` tells those of one name apart, `begin` starts a use.
    `depth` is in how many loops of its block it was declared: its parameters live there, wherever they are used.
    `place` is where in the text, `uses` what the uses of a block have in common that stands in place of its calls.
    """

    name: str
    depth: int = 0
    place: object = None
    uses: Passes | None = None
    parameters: dict[str, Value] = field(default_factory=dict)
    instance: Instance | None = None
    parts: dict[str, Sharing] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Start a use."""
        self.counts.clear()

    def key(self, name: str) -> str:
        """The next thing of this name in a use."""
        self.counts[name] += 1
        return f"{name}_{self.counts[name]}"


@dataclass(eq=False)
class Passes:
    """What the passes of a `repeat ... as ... shared`, or the uses of a shared block, have in common, by the place in
    the text that asks for it and how often a pass has come there.

    `depth` is in how many loops of its block it stands, `within` in how many the pass at hand does, which `calls` calls
    lead to; `name` comes before those of its parameters.
    """

    depth: int
    within: int = 0
    calls: int = 0
    name: str = ""
    weights: dict[object, Sharing] = field(default_factory=dict)
    loops: dict[object, Passes] = field(default_factory=dict)
    counts: Counter[object] = field(default_factory=Counter)

    def begin(self) -> None:
        """Start a pass."""
        self.counts.clear()

    def sharing(self, place: Sequence[object]) -> Sharing:
        """The weights of what stands at a place."""
        found = self.weights.setdefault(self._key(place), Sharing("", self.depth))
        found.begin()
        return found

    def inner(self, place: Sequence[object]) -> Passes:
        """What the passes of a loop inside have in common."""
        found = self.loops.setdefault(self._key(place), Passes(self.depth, name=self.name))
        found.within, found.calls = self.within, self.calls
        return found

    def _key(self, place: Sequence[object]) -> object:
        own = tuple(place[self.calls :])
        self.counts[own] += 1
        return own, self.counts[own]


@dataclass(frozen=True)
class SharedLayer:
    """`share f = layer(...)`: the layer's arguments and its one set of weights."""

    call: tree.Call
    scope: Scope = field(repr=False)
    sharing: Sharing


@dataclass(frozen=True)
class Activation:
    """An elementwise function with its attributes, as an edge without parameters or as a neuron."""

    word: str
    attributes: tuple[tuple[str, int | float], ...] = ()


@dataclass(frozen=True)
class Chain:
    """`E >> F`: first E, then F."""

    stages: tuple[Edge, ...]


@dataclass(frozen=True)
class Together:
    """`E + F`."""

    edges: tuple[Edge, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Scaled:
    """`c * E`."""

    factor: Term
    edge: Edge


@dataclass(frozen=True)
class Tied:
    """`tied(E, groups = 8)`: the edges of a group of inputs share one set of parameters."""

    edge: Edge
    groups: Size


@dataclass(frozen=True)
class Poison:
    """A name whose definition had an error; using it says nothing more."""


Edge = Partial | Activation | Chain | Together | Scaled | Tied
EDGES = (Partial, Activation, Chain, Together, Scaled, Tied)
Binding = Term | Several | Extent | Scalar | Flag | Word | AxisList | BoundAxis | Edge | SharedLayer | Poison

DESCRIPTIONS: dict[type, Callable[[Binding], str]] = {
    Extent: lambda _: "a whole number",
    Scalar: lambda _: "a real number",
    Flag: lambda _: "a truth value",
    Word: lambda b: f"the word `{b.text}`" if isinstance(b, Word) else "",
    AxisList: lambda _: "a list of axes",
    BoundAxis: lambda b: f"axis `{b.axis.name}`" if isinstance(b, BoundAxis) else "",
    Term: lambda b: "a number" if isinstance(b, Term) and isinstance(b.formula, Literal) else "a value",
    Several: lambda _: "a tuple of values",
    Partial: lambda b: f"block `{b.definition.tree.name}`" if isinstance(b, Partial) else "",
    Activation: lambda b: f"function `{b.word}`" if isinstance(b, Activation) else "",
}


def describe(binding: Binding) -> str:
    """What a binding is, in words for a message."""
    known = DESCRIPTIONS.get(type(binding))
    return known(binding) if known else "an edge"


def position(axis: Axis) -> Term:
    """The position on an axis as a value: an index into it."""
    return Term(Position(axis.name), (axis,), Kind("index", axis.name, axis.size))
