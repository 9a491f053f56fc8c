"""What a claim says, tried out: elements of its groups act on the inputs of a block, and its outputs are compared.

The reference computes in float64, so what is not a symmetry is off by far more than rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import archc
from archc.ir.graph import Block, TypedGraph
from archc.ir.node import Value
from archc.ir.parameter import parameters
from archc.ir.state import trains_apart
from archc.run.feed import inputs
from archc.run.sizes import Regime, built_with, choose
from archc.syntax import tree
from archc.types.size import Size
from archc.types.tensor_type import TensorType

Array = NDArray[Any]
Values = Mapping[str, Array]

RESIDUAL = 1e-10
SEEN = 1e-6
"""What a value has to differ by for a change of it to be one."""

SHORTEST, LONGEST, SEEDS = 3, 11, 32
"""On an axis of two positions every permutation is a shift and a flip; what is long only takes time."""

DRAWS = 2


@dataclass(frozen=True)
class Axes:
    """The axes that an action names, their lengths, and the second axes over the same sets."""

    lengths: Mapping[str, int]
    twins: Mapping[str, str]

    def of(self, array: Array, type: TensorType) -> list[tuple[int, str]]:
        """The dimensions of a value that move, each with the axis that it moves with."""
        named = [(at, self.twins.get(name, name)) for at, name in enumerate(type.names)]
        found = [(at, name) for at, name in named if name in self.lengths]
        for at, name in found:
            assert array.shape[at] in self.lengths.values(), f"{name} of {type} is not the axis that moves"
        return found


Element = Callable[[Array, TensorType], Array]
"""How an element of a group moves a value."""


@dataclass(frozen=True)
class Places:
    """Positions of axes go to others: entry i to `to[axis][i]`, and what is a position is renamed."""

    axes: Axes
    to: Mapping[str, Array]

    def __call__(self, array: Array, type: TensorType) -> Array:
        of = type.kind.axis
        if type.kind.word == "index" and of is not None and of in self.to:
            array = self.to[of][array]
        for at, name in self.axes.of(array, type):
            array = np.take(array, np.argsort(self.to[name]), axis=at)
        return array


@dataclass(frozen=True)
class Quarter:
    """A quarter turn of the plane of two axes, in which every value has both or neither."""

    axes: Axes

    def __call__(self, array: Array, type: TensorType) -> Array:
        plane = {name: at for at, name in self.axes.of(array, type)}
        assert type.kind.axis not in self.axes.lengths
        assert len(plane) in (0, 2), f"{type} has one of the axes {', '.join(self.axes.lengths)}"
        first, second = self.axes.lengths
        return np.rot90(array, axes=(plane[first], plane[second])) if plane else array


@dataclass(frozen=True)
class Signs:
    """A sign for every position of the axes."""

    axes: Axes
    signs: Mapping[str, Array]

    def __call__(self, array: Array, type: TensorType) -> Array:
        for at, name in self.axes.of(array, type):
            array = np.moveaxis(np.moveaxis(array, at, -1) * self.signs[name], -1, at)
        return array


@dataclass(frozen=True)
class Linear:
    """A matrix on the components of vectors; `move` is added to those of points."""

    axes: Axes
    matrix: Array
    move: Array

    def __call__(self, array: Array, type: TensorType) -> Array:
        for at, name in self.axes.of(array, type):
            is_point = type.kind.word == "point" and type.kind.axis == name
            turned = np.moveaxis(array, at, -1) @ self.matrix.T + (self.move if is_point else 0)
            array = np.moveaxis(turned, -1, at)
        return array


def permutations(axes: Axes, generator: np.random.Generator) -> Iterator[Element]:
    """Two positions exchanged on one axis after the other, then all in a ring on every axis: these make all others."""
    still = {name: np.arange(length) for name, length in axes.lengths.items()}
    for name, length in axes.lengths.items():
        yield Places(axes, {**still, name: np.array([1, 0, *range(2, length)])})
    rings = {name: generator.permutation(length) for name, length in axes.lengths.items()}
    yield Places(axes, {name: np.roll(ring, 1)[np.argsort(ring)] for name, ring in rings.items()})


def shifts(axes: Axes, generator: np.random.Generator) -> Iterator[Element]:
    """By one on one periodic axis after the other, then by any number on all."""
    still = {name: np.arange(length) for name, length in axes.lengths.items()}
    for name in axes.lengths:
        yield Places(axes, {**still, name: np.roll(still[name], -1)})
    yield Places(axes, {name: np.roll(at, -int(generator.integers(1, len(at)))) for name, at in still.items()})


def flips(axes: Axes, generator: np.random.Generator) -> Iterator[Element]:
    """One axis turned round after the other."""
    still = {name: np.arange(length) for name, length in axes.lengths.items()}
    for name in axes.lengths:
        yield Places(axes, {**still, name: still[name][::-1]})


def quarters(axes: Axes, generator: np.random.Generator) -> Iterator[Element]:
    assert len(axes.lengths) == 2
    yield Quarter(axes)


def dihedral(axes: Axes, generator: np.random.Generator) -> Iterator[Element]:
    yield from quarters(axes, generator)
    yield from flips(axes, generator)


def signs(axes: Axes, generator: np.random.Generator) -> Iterator[Element]:
    """One position of one axis after the other, then any of all."""
    plus = {name: np.ones(length) for name, length in axes.lengths.items()}
    for name in axes.lengths:
        yield Signs(axes, {**plus, name: np.where(np.arange(len(plus[name])) == 0, -1, 1)})
    yield Signs(axes, {name: np.array([-1, *generator.choice([-1, 1], len(one) - 1)]) for name, one in plus.items()})


def turns(axes: Axes, generator: np.random.Generator, mirrored: Sequence[bool]) -> Iterator[Element]:
    """Matrices Q with Q Q^T = 1, of determinant -1 where `mirrored`."""
    (length,) = set(axes.lengths.values())
    for is_mirrored in mirrored:
        matrix, _ = np.linalg.qr(generator.standard_normal((length, length)))
        matrix[:, 0] *= np.linalg.det(matrix) * (-1 if is_mirrored else 1)
        yield Linear(axes, matrix, np.zeros(length))


def moves(axes: Axes, generator: np.random.Generator) -> Iterator[Element]:
    (length,) = set(axes.lengths.values())
    yield Linear(axes, np.eye(length), generator.standard_normal(length))


GROUPS: Mapping[str, Callable[[Axes, np.random.Generator], Iterator[Element]]] = {
    "permute": permutations,
    "shift": shifts,
    "flip": flips,
    "rotate90": quarters,
    "dihedral": dihedral,
    "sign": signs,
    "rotate": partial(turns, mirrored=(False, False)),
    "orthogonal": partial(turns, mirrored=(False, False, True)),
    "translate": moves,
}


@dataclass(frozen=True)
class Subject:
    """A block, or the net, of a graph as something to be fed by itself."""

    graph: TypedGraph

    @property
    def block(self) -> Block:
        return self.graph.net

    @property
    def claims(self) -> tuple[tree.Claim, ...]:
        assert self.block.definition is not None
        made = {claim.span for claim in self.block.claims}
        return tuple(claim for claim in self.block.definition.claims if claim.span in made)

    def named(self, argument: tree.Expr) -> tuple[str, ...]:
        """The axes that an argument of an action means here: `over` those it stands for."""
        assert isinstance(argument, tree.Name)
        bound = dict(self.block.fixed).get(argument.text, argument.text)
        return tuple(name.strip() for name in bound.strip("()").split(","))

    def moved(self, claim: tree.Claim) -> list[tuple[str, tuple[str, ...]]]:
        """The groups of a claim with their axes."""
        return [
            (action.group, tuple(name for argument in action.arguments for name in self.named(argument)))
            for action in claim.actions
        ]

    @cached_property
    def twins(self) -> Mapping[str, str]:
        """By its name, what a second axis over the same set moves with."""
        assert self.block.definition is not None
        ports = (*self.block.definition.inputs, *self.block.definition.outputs)
        types = [port.type for port in ports if isinstance(port.type, tree.Type)]
        return {axis.name.text: axis.twin for type in types for axis in type.axes if axis.twin is not None}

    @cached_property
    def axes(self) -> Mapping[str, Size]:
        """The axes of the inputs."""
        return {axis.name: axis.size for port in self.block.region.inputs for axis in port.type.axes}

    def sizes(self, claim: tree.Claim) -> Mapping[str, int]:
        """Sizes at which what moves has room to, where the signature leaves them open."""
        needed = {name for _, names in self.moved(claim) for name in names}
        assert needed <= self.axes.keys(), f"no input has the axes {', '.join(sorted(needed - self.axes.keys()))}"
        opened = [self.axes[name] for name in needed if self.axes[name].constant is None]
        kept = built_with(self.graph)
        wishes: list[tuple[Regime, int]] = [*(("primes", seed) for seed in range(SEEDS)), ("equal", 0)]
        for regime, seed in wishes:
            sizes = choose(self.graph, regime, kept, seed)
            if all(SHORTEST <= size.evaluate(sizes) <= LONGEST for size in opened):
                return sizes
        raise AssertionError(f"no sizes with {SHORTEST} positions on each of {', '.join(sorted(needed))}")

    def weights(self, sizes: Mapping[str, int], generator: np.random.Generator) -> Values:
        """Random parameters, small enough for a fixed point to be found; states that may be variances."""
        found = {}
        for placed in parameters(self.graph, sizes):
            shape = tuple(size.evaluate(sizes) for size in placed.shape)
            drawn = generator.normal(0, 0.8 / max(shape[-1:], default=1) ** 0.5, shape)
            if placed.parameter.formula is None:
                found[placed.path] = np.abs(drawn) + 0.5 if placed.parameter.role == "state" else drawn
        return found

    def try_out(self, claim: tree.Claim) -> None:
        """Assert that a claim holds, and says something, for random inputs, parameters and elements of its groups."""
        for action in claim.actions:
            assert action.group in GROUPS, f"nobody knows how {action.group} acts"
        sizes = self.sizes(claim)
        for draw in range(DRAWS):
            generator = np.random.default_rng(draw)
            weights = self.weights(sizes, generator)
            given, fresh = (inputs(self.graph, sizes, int(generator.integers(2**31))) for _ in range(2))
            elements = [list(group) for group in self.elements(claim, sizes, generator)]
            for training in (False, True) if trains_apart(self.graph) else (False,):
                trial = Trial(self, claim.sort == "equivariant", sizes, weights, training, given)
                for group in elements:
                    for element in group:
                        trial.demand_symmetry(element)
                    trial.demand_meaning(group[-1], fresh)
                if len(elements) > 1:
                    trial.demand_symmetry(*(group[-1] for group in elements))

    def elements(
        self, claim: tree.Claim, sizes: Mapping[str, int], generator: np.random.Generator
    ) -> Iterator[Iterator[Element]]:
        """Elements of each of the groups of a claim, the last of them moving as much as any."""
        for group, names in self.moved(claim):
            lengths = {name: self.axes[name].evaluate(sizes) for name in names}
            yield GROUPS[group](Axes(lengths, self.twins), generator)


@dataclass(frozen=True)
class Trial:
    """What a block computes from some inputs, to be compared with what it computes from them when they have moved."""

    subject: Subject
    is_equivariant: bool
    sizes: Mapping[str, int]
    weights: Values
    training: bool
    given: Values

    def computed(self, values: Values) -> Values:
        hypers = {one.name: self.sizes[one.name] for one in self.subject.block.symbols if one.role == "hyper"}
        return archc.reference(self.subject.graph)(values, self.weights, hypers, training=self.training)

    @cached_property
    def before(self) -> Values:
        return self.computed(self.given)

    def moved(self, *elements: Element) -> Values:
        """The inputs after one element after the other has moved them."""
        return acted(self.given, self.subject.block.region.inputs, elements)

    def wanted(self, *elements: Element) -> Values:
        """What the outputs should be then."""
        return acted(self.before, self.subject.block.outputs, elements) if self.is_equivariant else self.before

    def demand_symmetry(self, *elements: Element) -> None:
        """Assert that the outputs are where the claim says when the inputs have moved."""
        error = apart(self.computed(self.moved(*elements)), self.wanted(*elements))
        assert error < RESIDUAL, f"what {elements} should give is off by {error}"

    def demand_meaning(self, element: Element, fresh: Values) -> None:
        """Assert that inputs move, that the outputs see these inputs, and that they move where they should."""
        moved = self.moved(element)
        touched = {name: fresh[name] for name in moved if distance(moved[name], self.given[name]) > 0}
        assert touched, f"{element} moves no input"
        assert apart(self.computed({**self.given, **touched}), self.before) > SEEN, "no output sees what moves"
        assert not self.is_equivariant or apart(self.wanted(element), self.before) > SEEN, "no output moves"
        assert max(float(np.abs(array).max()) for array in self.before.values()) > SEEN


def acted(values: Values, ports: Sequence[Value], elements: Sequence[Element]) -> Values:
    """Values after one element after the other has moved them."""
    for element in elements:
        values = {port.name: element(values[port.name], port.type) for port in ports}
    return values


def apart(found: Values, wanted: Values) -> float:
    return max(distance(found[name], wanted[name]) for name in wanted)


def distance(found: Array, wanted: Array) -> float:
    """The largest difference of entries, by the size of what is wanted; infinite between shapes, and where one is no
    number."""
    if found.shape != wanted.shape:
        return float("inf")
    found, wanted = (array.astype(np.complex128) for array in (found, wanted))
    error = float(np.abs(found - wanted).max(initial=0) / max(1e-12, float(np.abs(wanted).max(initial=0))))
    return error if np.isfinite(error) else float("inf")


def subjects(graph: TypedGraph) -> list[Subject]:
    """Every block of a graph that claims something, the net last."""
    alone = [graph if name == graph.entry else replace(graph, entry=name, options=()) for name in graph.blocks]
    return [subject for subject in map(Subject, alone) if subject.claims]
