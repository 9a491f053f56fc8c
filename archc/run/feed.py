"""Random inputs for a net."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archc.ir.graph import TypedGraph
from archc.types.tensor_type import TensorType

Array = NDArray[Any]
_INTEGERS = 5


def inputs(graph: TypedGraph, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Array]:
    """One random array per port, dimensions in the declared order, float64 where real.

    Real entries are uniform in [-1, 1] and distinct, indices lie inside their axis, a simplex is positive and sums to
    one. Raises SizeError when `sizes` leaves a symbol open.
    """
    generator = np.random.default_rng(seed)
    return {port.name: sample(port.type, sizes, generator) for port in graph.net.region.inputs}


def sample(type: TensorType, sizes: Mapping[str, int], generator: np.random.Generator) -> Array:
    """A random array of a type."""
    shape = tuple(axis.size.evaluate(sizes) for axis in type.axes)
    kind = type.kind
    match kind.word:
        case "bool":
            return generator.random(shape) < 0.5
        case "int":
            return generator.integers(0, _INTEGERS, shape)
        case "index" if kind.size is not None:
            return generator.integers(0, kind.size.evaluate(sizes), shape)
        case "simplex":
            weights = generator.uniform(0.1, 1.0, shape)
            return np.asarray(weights / weights.sum(axis=type.names.index(str(kind.axis)), keepdims=True))
        case "complex":
            return np.asarray(generator.uniform(-1, 1, shape) + 1j * generator.uniform(-1, 1, shape))
        case _:
            return np.asarray(generator.uniform(-1, 1, shape))
