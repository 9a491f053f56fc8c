"""The reference: what a net computes, in NumPy float64, straight from its graph.

It is the oracle that generated modules are compared with, so it is strict where they are fast: every array carries axis
names, every type is evaluated and compared, every index is checked, and nothing is broadcast but by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from archc.formula.tree import Formula, Position, Read, walk
from archc.ir.attribute import attribute
from archc.ir.graph import Block, TypedGraph
from archc.ir.node import (
    Assume,
    Call,
    Compute,
    Fixpoint,
    Loop,
    Node,
    Operate,
    Parameter,
    Region,
    Repeat,
    Scan,
    Stage,
    Update,
    Value,
)
from archc.readings.evaluate import Array, MeaningError, Named, evaluate
from archc.readings.held import Held
from archc.readings.known import Known
from archc.readings.solve import solve
from archc.types.size import Condition, Size, SizeError
from archc.types.tensor_type import Kind, TensorType

__all__ = ["MeaningError", "Reference", "bind", "reference"]

_NORMALISED = 1e-6
_GIVEN = {"real": "f", "point": "f", "simplex": "f", "complex": "fc", "int": "iu", "index": "iu", "bool": "b"}
_COMPUTED = _GIVEN | {"real": "fiu", "point": "fiu", "complex": "fiuc"}
_STORED = {"f": np.float64, "c": np.complex128, "b": np.bool_}


def reference(graph: TypedGraph) -> Reference:
    """The meaning of a net as a function of its inputs and parameters."""
    return Reference(graph)


@dataclass(frozen=True)
class Reference:
    """Callable meaning of a net.

    `inputs` are arrays by port name, dimensions in the declared order; `parameters` (states too) by state-dict path,
    constants given by a formula left out; `hypers` the values of size symbols (defaults and input shapes fill the
    gaps). The outputs come by port name in the declared order. Raises MeaningError for whatever the graph does not
    allow.
    """

    graph: TypedGraph

    def __call__(
        self,
        inputs: Mapping[str, ArrayLike],
        parameters: Mapping[str, ArrayLike],
        hypers: Mapping[str, int] | None = None,
        *,
        trace: MutableMapping[str, Array] | None = None,
        held: Held | None = None,
        known: Known | None = None,
        training: bool = False,
        updates: MutableMapping[str, Array] | None = None,
    ) -> dict[str, Array]:
        """The outputs, of a net that is `training` or not; `trace`, where given, receives every intermediate value
        under its path in the net, `updates` what each state that changes holds after the run, `held` keeps the values
        at which gradients stop for the evaluations after this one, `known` those of the formulas that read the same."""
        net = self.graph.net
        given = {name: np.asarray(array) for name, array in inputs.items()}
        stored = {path: np.asarray(array) for path, array in parameters.items()}
        sizes = bind(net, given, hypers or {})
        states = {} if updates is None else updates
        walk = _Walk(self.graph, stored, set(), trace, held, known, training, states)
        for kept in (held, known):
            if kept is not None:
                kept.begin()
        arguments = []
        for port in net.region.inputs:
            array = _stored(given[port.name], port.type.kind, _GIVEN, f"input {port.name}")
            arguments.append(Named(port.type.names, array))
        with np.errstate(all="ignore"):
            results = walk.block(net, arguments, sizes, "")
        if unused := sorted(set(stored) - walk.used):
            raise MeaningError(f"the net has no parameter {', '.join(unused)}")
        return {name: result.array for name, result in zip(net.output_names, results, strict=True)}


def bind(net: Block, inputs: Mapping[str, Array], hypers: Mapping[str, int]) -> dict[str, int]:
    """The value of every size symbol of a net: given, from the shape of an input, or its default.

    Raises MeaningError when shapes contradict each other or the given values, or leave a symbol open.
    """
    ports = {port.name: port.type for port in net.region.inputs}
    if ports.keys() != inputs.keys():
        raise MeaningError(f"the inputs are {', '.join(ports)}, not {', '.join(inputs) or 'none'}")
    symbols = [symbol.name for symbol in net.symbols]
    if unknown := sorted(hypers.keys() - set(symbols)):
        raise MeaningError(f"the net has no size symbol {', '.join(unknown)}")
    found = dict(hypers)
    for name, declared in ports.items():
        shape = inputs[name].shape
        if len(shape) != len(declared.axes):
            raise MeaningError(f"input {name} is {declared}, but an array of shape {shape} is given")
        for axis, length in zip(declared.axes, shape, strict=True):
            known = found.setdefault(size, length) if (size := str(axis.size)) in symbols else length
            if known != length:
                raise MeaningError(f"input {name} has {length} positions on {axis.name}, but {size} is {known}")
    for symbol in net.symbols:
        if symbol.default is not None:
            found.setdefault(symbol.name, symbol.default)
    if missing := [name for name in symbols if name not in found]:
        raise MeaningError(f"the size of {', '.join(missing)} is not given")
    return found


@dataclass(frozen=True)
class _Walk:
    """One evaluation of a net; `used` collects the paths of the parameters that were read, `states` what those hold by
    now that have changed."""

    graph: TypedGraph
    parameters: Mapping[str, Array]
    used: set[str]
    trace: MutableMapping[str, Array] | None
    held: Held | None
    known: Known | None
    training: bool
    states: MutableMapping[str, Array]

    def block(self, block: Block, inputs: Sequence[Named], sizes: Mapping[str, int], prefix: str) -> list[Named]:
        """The results of a block, its parameters below `prefix`."""
        if missing := [symbol.name for symbol in block.symbols if symbol.name not in sizes]:
            raise MeaningError(f"block {block.name} is used without the size of {', '.join(missing)}")
        for condition in (*block.facts, *(needed.condition for needed in block.requirements)):
            _require(condition, sizes, f"block {block.name}")
        return _Frame(self, sizes, prefix).region(block.region, inputs, {})


@dataclass(frozen=True)
class _Frame:
    """An instance of a block: what its size symbols are and where its parameters lie."""

    walk: _Walk
    sizes: Mapping[str, int]
    prefix: str

    def region(self, region: Region, inputs: Sequence[Named], outer: Mapping[str, Named]) -> list[Named]:
        """The outputs of a region; `outer` holds what it captures."""
        values = dict(outer)
        for value, array in zip(region.inputs, inputs, strict=True):
            values[value.name] = self.passed(array, value)
        for node in region.nodes:
            for value, result in zip(node.results, self.node(node, values), strict=True):
                if value.name in values:
                    raise MeaningError(f"{self.prefix}{value.name} is defined twice")
                values[value.name] = result
                if self.walk.trace is not None:
                    self.walk.trace[self.prefix + value.name] = result.array
        return [_found(values, name) for name in region.outputs]

    def node(self, node: Node, values: Mapping[str, Named]) -> Iterable[Named]:
        """The results of a node."""
        try:
            return self.meaning(node, values)
        except MeaningError as error:
            if not hasattr(error, "__notes__"):
                error.add_note(f"in {self.prefix or 'the net'} at {node.span}")
            raise

    def meaning(self, node: Node, values: Mapping[str, Named]) -> Iterable[Named]:
        match node:
            case Parameter():
                return [self.parameter(node, values)]
            case Compute():
                return [self.computed(node.formula, values, node.result)]
            case Assume():
                self.assume(node, values)
                return []
            case Update():
                self.update(node, values)
                return []
            case Operate():
                results = self.region(node.meaning, [_found(values, name) for name in node.operands], {})
            case Call():
                results = self.call(
                    node, [_found(values, name) for name in node.operands], self.prefix + attribute(node.module)
                )
            case Repeat():
                results = self.repeat(node, values)
            case Scan():
                results = self.scan(node, values)
            case Fixpoint():
                results = self.fixpoint(node, values)
            case Stage():
                results = self.pass_of(node, values)([_found(values, name) for name in node.initial])
            case _:
                raise MeaningError(f"no meaning is known for {type(node).__name__}")
        return [self.passed(result, value) for result, value in zip(results, node.results, strict=True)]

    def parameter(self, node: Parameter, values: Mapping[str, Named]) -> Named:
        path = self.prefix + attribute(node.result.name)
        if node.formula is not None:
            self.walk.used.add(path)
            return self.computed(node.formula, values, node.result)
        if path not in self.walk.parameters:
            raise MeaningError(f"parameter {path} is not given")
        self.walk.used.add(path)
        declared = node.result.type
        found = self.walk.states.get(path, self.walk.parameters[path])
        array = _stored(found, declared.kind, _COMPUTED, f"parameter {path}")
        return self.checked(Named(declared.names, array), declared, f"parameter {path}")

    def computed(self, formula: Formula, values: Mapping[str, Named], value: Value) -> Named:
        """The value of a formula, laid out and checked as its declared type; as it was, where what it reads is."""
        known = self.walk.known
        if known is None:
            return self.evaluated(formula, values, value)
        key = known.key(formula, value.type, values, self.sizes)
        found = known.find(key)
        if found is None:
            found = self.evaluated(formula, values, value)
            known.keep(key, found, formula, values)
        return found

    def evaluated(self, formula: Formula, values: Mapping[str, Named], value: Value) -> Named:
        shape = self.shape(value.type)
        held, place = self.walk.held, self.prefix + value.name
        hold = None if held is None else partial(held.hold, place)
        extents = dict(zip(value.type.names, shape, strict=True))
        result = evaluate(formula, values, extents, self.sizes, hold, training=self.walk.training)
        if loose := [axis for axis in result.axes if axis not in value.type.names]:
            raise MeaningError(f"{value.name}: {value.type} depends on the position on {', '.join(loose)}")
        array = np.broadcast_to(result.along(value.type.names), shape)
        array = _stored(array, value.type.kind, _COMPUTED, value.name)
        return self.checked(Named(value.type.names, array), value.type, value.name)

    def update(self, node: Update, values: Mapping[str, Named]) -> None:
        """What a state holds from now on, and where gradients stop, since it is stored without one."""
        path = self.prefix + attribute(node.state)
        state, found = _found(values, node.state), _found(values, node.value)
        if set(found.axes) != set(state.axes) or found.along(state.axes).shape != state.array.shape:
            raise MeaningError(f"state {path} is over {', '.join(state.axes)}, but {', '.join(found.axes)} is stored")
        after = Named(state.axes, found.along(state.axes).astype(state.array.dtype))
        self.walk.states[path] = (after if self.walk.held is None else self.walk.held.hold(path, after)).array

    def assume(self, node: Assume, values: Mapping[str, Named]) -> None:
        if isinstance(node.condition, Condition):
            _require(node.condition, self.sizes, "assume")
            return
        extents, training = _extents(node.condition, values), self.walk.training
        truth = evaluate(node.condition, values, extents, self.sizes, training=training).array
        if truth.dtype != np.bool_:
            raise MeaningError("an assumption is not a condition")
        if not truth.all():
            raise MeaningError(f"the assumption at {node.span} does not hold")

    def call(self, call: Call, operands: Sequence[Named], place: str) -> list[Named]:
        """The results of an instance whose parameters lie at `place`."""
        block = self.walk.graph.blocks[call.block]
        sizes = {name: self.size(size) for name, size in call.sizes}
        return self.walk.block(block, operands, sizes, f"{place}.")

    def repeat(self, node: Repeat, values: Mapping[str, Named]) -> list[Named]:
        """The carries after the last pass."""
        count = self.size(node.count)
        if count < 0:
            raise MeaningError(f"a loop of {count} passes")
        carries = [_found(values, name) for name in node.initial]
        captured = {name: _found(values, name) for name in node.captures}
        for number in range(count):
            place = self.prefix + attribute(node.module) + ("" if node.shared else f".{number}")
            if (direct := node.direct) is not None:
                known = {v.name: self.passed(c, v) for v, c in zip(node.body.inputs, carries, strict=True)}
                results = self.call(direct, [_found(known, name) for name in direct.operands], place)
                known |= {v.name: self.passed(r, v) for v, r in zip(direct.results, results, strict=True)}
                carries = [_found(known, name) for name in node.body.outputs]
            else:
                carries = _Frame(self.walk, self.sizes, f"{place}.").region(node.body, carries, captured)
        return carries

    def scan(self, node: Scan, values: Mapping[str, Named]) -> list[Named]:
        """The carries after the last position, then what was emitted at each."""
        carries, steps = [_found(values, name) for name in node.initial], self.size(node.axis.size)
        slices, step = [_found(values, name) for name in node.slices], self.pass_of(node, values)
        emitted: list[list[Array]] = [[] for _ in node.results[len(carries) :]]
        for position in range(steps):
            found = step([*carries, *(_at(one, node.axis.name, position) for one in slices)])
            carries = found[: len(carries)]
            for value, sort, entries in zip(node.results[len(carries) :], found[len(carries) :], emitted, strict=True):
                entries.append(sort.along([axis for axis in value.type.names if axis != node.axis.name]))
        return [
            *carries,
            *(self.stacked(v, e, node) for v, e in zip(node.results[len(carries) :], emitted, strict=True)),
        ]

    def stacked(self, value: Value, entries: Sequence[Array], node: Scan) -> Named:
        """What was emitted, along the axis of the loop."""
        names = value.type.names
        if not entries:
            return Named(names, np.zeros(self.shape(value.type)))
        return Named(names, np.stack(entries, axis=names.index(node.axis.name)))

    def fixpoint(self, node: Fixpoint, values: Mapping[str, Named]) -> list[Named]:
        """The carries that a pass gives back, to rounding, whatever solver and tolerance the spec asks for."""
        start, step = [_found(values, name) for name in node.initial], self.pass_of(node, values)
        axes = [carry.type.names for carry in node.carries]

        def residual(arrays: Sequence[Array]) -> list[Array]:
            found = step([Named(own, array) for own, array in zip(axes, arrays, strict=True)])
            return [one.along(own) for one, own in zip(found, axes, strict=True)]

        found = solve(residual, [one.along(own) for one, own in zip(start, axes, strict=True)])
        if found is None:
            raise MeaningError(f"no fixed point is found for the loop at {node.span}")
        return [Named(own, array) for own, array in zip(axes, found, strict=True)]

    def pass_of(self, node: Loop, values: Mapping[str, Named]) -> Callable[[Sequence[Named]], list[Named]]:
        """One pass of a loop whose passes share their weights, as a function of the inputs of its body."""
        captured = {name: _found(values, name) for name in node.captures}
        frame = _Frame(self.walk, self.sizes, f"{self.prefix}{attribute(node.module)}.")
        return lambda inputs: frame.region(node.body, inputs, captured)

    def passed(self, value: Named, to: Value) -> Named:
        """A value as the place it is handed to declares it: the same axes by name, in the order of that type."""
        if set(value.axes) != set(to.type.names):
            raise MeaningError(f"{to.name}: {to.type} is given a value over {', '.join(value.axes) or 'no axis'}")
        array = _stored(value.along(to.type.names), to.type.kind, _COMPUTED, to.name)
        return self.checked(Named(to.type.names, array), to.type, to.name)

    def checked(self, value: Named, type: TensorType, what: str) -> Named:
        """The value, if its shape and its entries are what the type says."""
        if value.array.shape != self.shape(type):
            raise MeaningError(f"{what}: {type} has shape {value.array.shape}, not {self.shape(type)}")
        if type.kind.word == "index":
            self.check_positions(value, type.kind, what)
        elif type.kind.word == "simplex":
            _check_distribution(value, type.kind, what)
        return value

    def check_positions(self, value: Named, kind: Kind, what: str) -> None:
        if kind.size is None:
            raise MeaningError(f"{what}: {kind} does not say how many positions there are")
        count, array = self.size(kind.size), value.array
        if array.size and not (array.min() >= 0 and array.max() < count):
            raise MeaningError(f"{what}: {kind} has entries from {array.min()} to {array.max()}, but {count} positions")

    def shape(self, type: TensorType) -> tuple[int, ...]:
        shape = tuple(self.size(axis.size) for axis in type.axes)
        if min(shape, default=0) < 0:
            raise MeaningError(f"{type} would have the shape {shape}")
        return shape

    def size(self, size: Size) -> int:
        try:
            return size.evaluate(self.sizes)
        except SizeError as error:
            raise MeaningError(f"the size {size} has no value: {error}") from error


def _require(condition: Condition, sizes: Mapping[str, int], where: str) -> None:
    if not condition.evaluate(sizes):
        raise MeaningError(f"{where} needs {condition}, which does not hold for {dict(sizes)}")


def _at(value: Named, axis: str, position: int) -> Named:
    """The entries at one position of an axis."""
    place = value.axes.index(axis)
    return Named(tuple(name for name in value.axes if name != axis), value.array.take(position, axis=place))


def _found(values: Mapping[str, Named], name: str) -> Named:
    if name not in values:
        raise MeaningError(f"there is no value {name}")
    return values[name]


def _extents(condition: Formula, values: Mapping[str, Named]) -> dict[str, int]:
    """The lengths of the axes that values are read along as they lie."""
    found: dict[str, int] = {}
    for part in walk(condition):
        for index, length in (
            zip(part.indices, _found(values, part.value).array.shape, strict=True) if isinstance(part, Read) else ()
        ):
            if isinstance(index, Position):
                found.setdefault(index.axis, length)
    return found


def _stored(array: Array, kind: Kind, allowed: Mapping[str, str], what: str) -> Array:
    """The array in the reference's own precision; whole numbers are real numbers, reals are complex ones."""
    if array.dtype.kind not in allowed[kind.word]:
        raise MeaningError(f"{what} is {kind.word}, but has entries of {array.dtype}")
    stored = "c" if kind.word == "complex" else "f" if kind.is_real else array.dtype.kind
    return np.asarray(array, dtype=_STORED.get(stored, np.int64))


def _check_distribution(value: Named, kind: Kind, what: str) -> None:
    """A simplex is not negative and sums to one along its axis."""
    if kind.axis not in value.axes:
        raise MeaningError(f"{what}: {kind} does not have the axis {kind.axis}")
    array: np.ndarray[Any, np.dtype[np.float64]] = value.array
    along = value.axes.index(kind.axis)
    if array.size == 0 or not np.isfinite(array).all():
        return
    if array.min() < -_NORMALISED or np.abs(array.sum(axis=along) - 1).max() > _NORMALISED:
        raise MeaningError(f"{what}: {kind} is not a distribution over {kind.axis}")
