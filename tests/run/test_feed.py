"""Random inputs are of the kinds that ports declare."""

from __future__ import annotations

import numpy as np

from archc.driver import graph
from archc.run.feed import inputs

TEXT = """
net A (x: real[batch, n], i: index(n)[batch, m], p: simplex(n)[batch, n], t: bool[n], c: int[n])
        -> (y: real[batch, n])
{
    return x
}
"""


def test_inputs() -> None:
    found = inputs(graph(TEXT), {"batch": 3, "n": 5, "m": 40}, seed=3)
    assert found["x"].shape == (3, 5)
    assert len(set(found["x"].flat)) == 15
    assert np.abs(found["x"]).max() <= 1
    assert (found["i"].min(), found["i"].max()) == (0, 4)
    assert found["p"].min() > 0
    assert np.allclose(found["p"].sum(axis=1), 1)
    assert found["t"].dtype == np.bool_
    assert found["c"].dtype.kind == "i"


def test_the_seed_decides() -> None:
    typed, sizes = graph(TEXT), {"batch": 3, "n": 5, "m": 40}
    first, again, other = (inputs(typed, sizes, seed)["x"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
