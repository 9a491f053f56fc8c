"""The numbers that a graph gives, so that graphs can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archc.ir.graph import TypedGraph
from archc.ir.parameter import parameters
from archc.readings.values import reference
from archc.run.feed import inputs
from archc.run.sizes import choose

Array = NDArray[Any]


def meaning(graph: TypedGraph, seed: int = 0) -> dict[str, Array]:
    """The outputs for random inputs and parameters, the same ones for the same seed, inputs and paths."""
    sizes = choose(graph, "small")
    generator = np.random.default_rng(seed)
    given: Mapping[str, Array] = {
        placed.path: generator.uniform(-1, 1, tuple(size.evaluate(sizes) for size in placed.shape))
        for placed in parameters(graph, sizes)
        if placed.parameter.formula is None
    }
    return reference(graph)(inputs(graph, sizes, seed), given, sizes)


def assert_same_meaning(one: TypedGraph, other: TypedGraph, within: float = 0.0) -> None:
    """Both graphs give the same numbers, bit by bit but for the sign of a zero, or `within` a share of the largest."""
    wanted, found = meaning(one), meaning(other)
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        if within:
            np.testing.assert_allclose(found[name], array, rtol=0, atol=within * np.abs(array).max())
        else:
            np.testing.assert_array_equal(found[name], array)
