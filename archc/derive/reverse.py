"""The gradient of a region: its nodes backwards, an adjoint for every value that the inputs reach.

Reverse accumulation (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3) costs a small multiple of the
region, however many inputs there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archc.derive.adjoint import Backward, Naming, Step
from archc.derive.loops import ThroughFixpoint, ThroughScan
from archc.derive.passes import Looping, anew, apart, draws, hoisted, outside
from archc.derive.region import OpaqueError, is_drawn_inside, meant
from archc.formula.tree import Formula
from archc.ir.node import Assume, Call, Compute, Fixpoint, Loop, Node, Operate, Parameter, Region, Repeat, Scan
from archc.ir.rewrite import values_of, with_names


@dataclass(frozen=True)
class Gradients:
    """`nodes` compute a region's values and then adjoints; `outputs` are what its outputs are called among them, and
    `gradients` formulas over the inputs' axes."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    gradients: tuple[Formula, ...]


def gradients(region: Region, inputs: Sequence[str], adjoints: Mapping[str, Formula], naming: Naming) -> Gradients:
    """The gradient, by each of some inputs of a region, of the sum over everything of outputs times adjoints.

    `adjoints` are formulas over the axes of the outputs. A `repeat` whose number of passes is known is written out, a
    scan and a fixed point have loops for their adjoints. Raises OpaqueError for calls, a `repeat` of unknown length,
    and random numbers that are drawn in a fixed point or in a scan within a scan.
    """
    forward = _Forward(set(inputs), naming)
    for node in region.nodes:
        forward.add(node)
    backward = Backward(forward.nodes, forward.active, {value.name: value.type for value in region.inputs}, naming)
    for name, adjoint in adjoints.items():
        backward.give(forward.names.get(name, name), adjoint)
    backward.run(forward.steps)
    found = tuple(backward.whole(name) for name in inputs)
    outputs = tuple(forward.names.get(name, name) for name in region.outputs)
    return Gradients(tuple(backward.finished), outputs, found)


class _Forward:
    """The nodes to compute and, of those that depend on the inputs, what hands adjoints back, in order.

    `names` says what became of the values of loops that are written out, `weights` are the parameters named so far, and
    `again` those of the first pass of a loop whose passes share them.
    """

    def __init__(self, active: set[str], naming: Naming) -> None:
        self.active = active
        self.fresh = naming.parameter
        self.naming = replace(naming, parameter=self.weight)
        self.weights: list[str] = []
        self.again: Iterator[str] | None = None
        self.nodes: list[Node] = []
        self.steps: list[Step] = []
        self.names: dict[str, str] = {}
        self.is_inside = False  # of a loop, whose names are each pass's own

    def add(self, node: Node, *, is_known: bool = False) -> None:
        """Take a node; one whose value is known already is only derived."""
        if self.names and not self.names.keys().isdisjoint(node.arguments):
            (node,) = with_names(Region((), (node,), ()), self.names).nodes
        is_active = not self.active.isdisjoint(node.arguments)
        is_opened = is_active and is_drawn_inside(node)
        is_loop = isinstance(node, Loop) and (is_active or (isinstance(node, Repeat) and self.is_inside))
        if not is_known and not is_opened and not is_loop:
            self.nodes.append(node)
        if isinstance(node, Assume) or not (is_active or is_loop):
            return
        match node:
            case Compute():
                self.steps.append(node)
                self.active.add(node.result.name)
            case Operate():
                for part, known in meant(node, self.naming.value):
                    self.add(part, is_known=known and not is_opened)
            case Repeat() if node.count.constant is not None:
                self.unroll(node, node.count.constant)
            case Scan():
                self.scan(node)
            case Fixpoint():
                self.fixpoint(node)
            case _:
                raise OpaqueError(node)

    def unroll(self, node: Repeat, count: int) -> None:
        """A loop, one pass after the other."""
        before, self.is_inside = self.is_inside, True
        carries = [self.names.get(name, name) for name in node.initial]
        region, start, known = hoisted(node.body), len(self.weights), self.again
        first: list[str] = []
        for number in range(count):
            if node.shared and number:
                self.again = iter(first)
            names = {value.name: name for value, name in zip(region.inputs, carries, strict=True)}
            for part in region.nodes:
                made = self.naming.parameter if isinstance(part, Parameter) else self.naming.value
                names |= {value.name: made(value.name) for value in part.results}
            body = with_names(region, names)
            for part in body.nodes:
                if isinstance(part, Parameter):
                    self.declare([part])
                else:
                    self.add(apart(part, self.naming))
            if node.shared:
                first = first or self.weights[start:]
                del self.weights[start + len(first) :]
            carries = [self.names.get(name, name) for name in body.outputs]
        self.is_inside, self.again = before, known
        for value, name in zip(node.results, carries, strict=True):
            self.names[value.name] = name

    def weight(self, hint: str) -> str:
        """A name for a parameter: of its own, or what a pass before has called it."""
        self.weights.append(self.fresh(hint) if self.again is None else next(self.again))
        return self.weights[-1]

    def declare(self, parameters: Iterable[Node]) -> None:
        """Take parameters, but for those of a pass before."""
        made = {value.name for node in self.nodes for value in node.results}
        self.nodes += [node for node in parameters if made.isdisjoint(value.name for value in node.results)]

    def scan(self, node: Scan) -> None:
        """A scan, whose adjoints are those of a scan from its end."""
        sources = zip(node.body.inputs, node.given, strict=True)
        node, inner, moving = self.inside(node, {value.name for value, name in sources if name in self.active})
        if any(node.axis.name in type.names for type in values_of(node.body).values()):
            raise OpaqueError(node)
        self.nodes.append(node)
        self.steps.append(ThroughScan(node, tuple(inner.steps), inner.active))
        count = len(node.initial)
        ends = [
            *(value.name in moving for value in node.carries),
            *(name in inner.active for name in node.body.outputs[count:]),
        ]
        self.active.update(value.name for value, is_active in zip(node.results, ends, strict=True) if is_active)

    def fixpoint(self, node: Fixpoint) -> None:
        """A fixed point, with a pass that starts from it, whose adjoints are those of a fixed point."""
        node, _, moving = self.inside(node, set())
        if draws(node.body) or any(isinstance(part, Call) for part in node.body.nodes):
            raise OpaqueError(node)
        self.nodes.append(node)
        ends = {value.name: result.name for value, result in zip(node.carries, node.results, strict=True)}
        self.active.update(ends[name] for name in moving)
        parts = [part for part in node.body.nodes if not isinstance(part, Assume)]
        once = anew(parts, ends, self.naming)
        names = dict(zip((value.name for part in parts for value in part.results), once.outputs, strict=True))
        before, self.steps = self.steps, []
        for part in once.nodes:
            self.add(part)
        outputs = tuple({**ends, **names}.get(name, name) for name in node.body.outputs)
        self.steps = [*before, ThroughFixpoint(node, tuple(self.steps), outputs)]

    def inside(self, node: Looping, moving: set[str]) -> tuple[Looping, _Forward, set[str]]:
        """A loop with its parameters before it, a pass of it, and which inputs of a pass depend on what is derived by
        where some do."""
        own: list[Node]
        own, bare = outside(node)
        moving = self.moving(bare, moving)
        inner = _Forward(self.active | moving, self.naming)
        for part in bare.body.nodes:
            inner.add(part)
        own += [part for part in inner.nodes if isinstance(part, Parameter)]
        self.declare(own)
        outputs = tuple(inner.names.get(name, name) for name in bare.body.outputs)
        nodes = tuple(part for part in inner.nodes if not isinstance(part, Parameter))
        return replace(bare, body=Region(bare.body.inputs, nodes, outputs)), inner, moving

    def moving(self, node: Loop, start: set[str]) -> set[str]:
        """The real inputs of a loop's body that depend on what is derived by where some do, in a later pass perhaps."""
        real = {value.name for value in node.body.inputs if value.type.kind.is_real}
        found = start & real
        while True:
            known = self.active | found
            for part in node.body.nodes:
                if not known.isdisjoint(part.arguments):
                    known.update(value.name for value in part.results if value.type.kind.is_real)
            pairs = zip(node.carries, node.body.outputs, strict=False)
            more = {value.name for value, name in pairs if value.name in real and name in known} - found
            if not more:
                return found
            found |= more
