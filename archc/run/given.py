"""What a net is fed: the arrays that files give, random ones for the rest, and the sizes that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archc.ir.graph import TypedGraph
from archc.ir.node import Value
from archc.readings.values import MeaningError, bind
from archc.run.feed import inputs as random_inputs
from archc.run.files import demand_readable, demand_replaceable, read_array
from archc.run.request import DEVICES, DTYPES, Request, RunError
from archc.run.sizes import SizesNotFoundError, choose
from archc.types.tensor_type import Kind

Array = NDArray[Any]

_ACCEPTED = {"bool": "b", "int": "iu", "index": "iu", "complex": "fc"}
_EXACT = {"bool": np.bool_, "int": np.int64, "index": np.int64, "complex": np.complex128}
_WORDS = {"f": "floating-point numbers", "c": "complex numbers", "i": "integers", "u": "integers", "b": "truth values"}
_MOST = 2**40
_SUM = 1e-4


@dataclass(frozen=True)
class Feed:
    """A value for every size symbol of a net, and an array for every port in the order they are declared."""

    sizes: Mapping[str, int]
    arrays: Mapping[str, Array]


def checked(request: Request) -> Request:
    """The request with paths that hold in any folder. Raises RunError, and FileError where a file is of no use."""
    if request.device not in DEVICES:
        raise RunError(f"there is no device {request.device}; the devices are {', '.join(DEVICES)}")
    if request.dtype not in DTYPES:
        raise RunError(f"there is no precision {request.dtype}; the precisions are {', '.join(DTYPES)}")
    for path in request.inputs.values():
        demand_readable(path, ".npy", "other formats are not read")
    if request.weights is not None:
        demand_readable(request.weights, ".safetensors", "other formats can hold code and are not read")
    if request.output is not None:
        demand_replaceable(request.output, ".npz")
    return replace(
        request,
        inputs={name: path.absolute() for name, path in request.inputs.items()},
        weights=request.weights and request.weights.absolute(),
        output=request.output and request.output.absolute(),
    )


def feed(graph: TypedGraph, request: Request) -> Feed:
    """What a run feeds the net: inputs that no file gives are random. Raises RunError."""
    arrays = given(graph, request.inputs)
    try:
        sizes = choose(graph, "small", sizes_of(graph, arrays) | dict(request.sizes), request.seed)
    except SizesNotFoundError as error:
        raise RunError(str(error)) from error
    return filled(graph, arrays, sizes, request.seed)


def filled(graph: TypedGraph, arrays: Mapping[str, Array], sizes: Mapping[str, int], seed: int) -> Feed:
    """The given arrays and random ones for the other ports. Raises RunError where they contradict each other."""
    for port in graph.net.region.inputs:
        if prod(axis.size.evaluate(sizes) for axis in port.type.axes) > _MOST:
            raise RunError(f"input {port.name} would hold more numbers than there is memory")
    try:
        every = random_inputs(graph, sizes, seed) | dict(arrays)
        bound = bind(graph.net, every, sizes)
    except MeaningError as error:
        raise RunError(str(error)) from error
    except MemoryError as error:
        raise RunError("the inputs do not fit into memory at these sizes") from error
    for port in graph.net.region.inputs:
        _check_values(port, every[port.name], bound)
    return Feed(bound, every)


def given(graph: TypedGraph, files: Mapping[str, Path]) -> dict[str, Array]:
    """The arrays that files give, each with as many axes as its port, in float64, complex128, int64 or bool.

    Raises RunError where one is of another kind or shape, FileError where its file cannot be read.
    """
    ports = {port.name: port.type for port in graph.net.region.inputs}
    if unknown := [name for name in files if name not in ports]:
        raise RunError(f"the net has no input {', '.join(unknown)}; its inputs are {', '.join(ports) or 'none'}")
    arrays = {}
    for name, path in files.items():
        array, declared = read_array(path), ports[name]
        if array.dtype.kind not in _ACCEPTED.get(declared.kind.word, "f"):
            word = _WORDS.get(array.dtype.kind, "entries")
            raise RunError(f"input {name} is {declared.kind}, but {path} holds {word} ({array.dtype})")
        if array.ndim != len(declared.axes):
            raise RunError(f"input {name} is {declared}, but {path} has shape {array.shape}")
        arrays[name] = np.ascontiguousarray(array, dtype=exact(declared.kind)).reshape(array.shape)
    return arrays


def exact(kind: Kind) -> type[np.generic]:
    """The type of NumPy that holds a kind exactly."""
    return _EXACT.get(kind.word, np.float64)


def sizes_of(graph: TypedGraph, arrays: Mapping[str, Array]) -> dict[str, int]:
    """The size symbols that the shapes of the given arrays say. Raises RunError where they contradict each other."""
    names = {symbol.name for symbol in graph.net.symbols}
    found: dict[str, int] = {}
    for port in graph.net.region.inputs:
        shape = arrays[port.name].shape if port.name in arrays else ()
        for axis, length in zip(port.type.axes, shape, strict=False):
            known = found.setdefault(str(axis.size), length) if str(axis.size) in names else axis.size.constant
            if known is not None and known != length:
                raise RunError(
                    f"input {port.name} is {port.type}, but has {length} positions on {axis.name}, not {known}"
                )
    return found


def _check_values(port: Value, array: Array, sizes: Mapping[str, int]) -> None:
    """Every index lies inside its axis, and every distribution is one."""
    kind = port.type.kind
    if array.size == 0:
        return
    if kind.word == "index" and kind.size is not None:
        low, high, count = array.min(), array.max(), kind.size.evaluate(sizes)
        if low < 0 or high >= count:
            shown = f"{kind.size} is {count}" if kind.size.constant is None else f"there are {count} positions"
            raise RunError(f"input {port.name} is {kind} with entries from {low} to {high}, but {shown}")
    elif kind.word == "simplex":
        total = array.sum(axis=port.type.names.index(str(kind.axis)))
        if not (array.min() >= 0 and np.abs(total - 1).max() <= _SUM):
            raise RunError(f"input {port.name} is {kind}, but it is not positive with sum one along {kind.axis}")
