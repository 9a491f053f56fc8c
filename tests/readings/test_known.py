"""Evaluations that know an earlier one give what they give alone, and do only what has to be done again."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from archc.driver import graph
from archc.ir.parameter import parameters
from archc.readings import values
from archc.readings.known import Known
from archc.readings.values import reference

DEEP = """
block mix (x: real[n, d]) -> (y: real[n, d]) {
    let s[n, m: size(n)] = softmax(sum d: x * x[n: m], over = m)
    let y[n, d] = sum m: s * x[n: m]
    return y |> layer(d -> d, neuron = tanh)
}
net Deep (depth = 4) (x: real[batch, n, d: 3], z: real[d: 3]) -> (y: real[batch, n, d: 3]) {
    let h = repeat depth with x { return x |> mix() }
    return h + z |> layer(d -> d: 3)
}
"""
SIZES = {"depth": 4, "batch": 2, "n": 3}


def filled() -> dict[str, np.ndarray]:
    random = np.random.default_rng(2)
    listed = parameters(graph(DEEP), SIZES)
    return {p.path: random.normal(size=[size.evaluate(SIZES) for size in p.shape]) for p in listed}


@pytest.mark.parametrize("moved", [*filled(), "x", "z"])
def test_what_has_moved_is_found_again(moved: str) -> None:
    net, known, stored = reference(graph(DEEP)), Known(), filled()
    given = {"x": np.ones((2, 3, 3)), "z": np.ones(3)}
    before = net(given, stored, SIZES, known=known)["y"]
    for step in (0.1, -0.1):
        given2, stored2 = ({n: a + step * (n == moved) for n, a in arrays.items()} for arrays in (given, stored))
        wanted = net(given2, stored2, SIZES)["y"]
        assert np.array_equal(net(given2, stored2, SIZES, known=known)["y"], wanted)
        assert not np.allclose(wanted, before)


def test_only_what_depends_on_it_is_evaluated() -> None:
    net, known, stored = reference(graph(DEEP)), Known(), filled()
    given = {"x": np.ones((2, 3, 3)), "z": np.ones(3)}
    with patch.object(values, "evaluate", wraps=values.evaluate) as evaluate:
        counts = []
        for arrays in (given, given, given | {"z": np.zeros(3)}, given | {"x": np.zeros((2, 3, 3))}):
            net(arrays, stored, SIZES, known=known)
            counts.append(evaluate.call_count - sum(counts))
    assert counts[1] == 0
    assert 0 < counts[2] <= 2
    assert counts[2] < counts[3] <= counts[0]
