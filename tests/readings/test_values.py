"""The reference on whole nets: against the mathematics written by hand, and against what it must refuse."""

from __future__ import annotations

import numpy as np
import pytest

from archc.driver import graph
from archc.ir.parameter import parameters
from archc.readings.values import MeaningError, reference

RANDOM = np.random.default_rng(1)

MLP = """
net MLP(width = 8, depth = 3) (x: real[batch, d: 4]) -> (y: real[batch, d: 2]) {
    let h = x |> layer(d -> d: width, neuron = relu)
    let h = repeat depth - 1 with h { return h |> layer(d -> d, neuron = relu) }
    return h |> layer(d -> d: 2)
}
"""

POINTER = """
block point (q: real[d], e: real[n, d]) -> (u: real[n]) {
    param W1, W2: real[k: 5, d: size(d)]
    param v: real[k: 5]
    let u[n] = sum k: v * tanh((sum d: W1 * e) + (sum d: W2 * q))
    return u
}
net Point (q: real[batch, m, d], e: real[batch, n, d]) -> (u: real[batch, m, n]) {
    return point(q, e)
}
"""

MESSAGES = """
net Messages (x: real[n, k], src: index(n)[e], dst: index(n)[e]) -> (y: real[n, k]) {
    let y[n, k] = sum e where dst == n: x[n: src]
    return y
}
"""


def weights(text: str, **hypers: int) -> dict[str, np.ndarray]:
    listed = parameters(graph(text), hypers)
    return {p.path: RANDOM.normal(size=[size.evaluate(hypers) for size in p.shape]) for p in listed}


def test_mlp() -> None:
    given, x = weights(MLP, width=8, depth=3, batch=5), RANDOM.normal(size=(5, 4))
    kernels = [array for path, array in given.items() if path.endswith("weight")]
    biases = [array for path, array in given.items() if path.endswith("bias")]
    wanted = x
    for number, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        wanted = wanted @ kernel.T + bias
        wanted = np.maximum(wanted, 0) if number < 3 else wanted
    assert np.allclose(reference(graph(MLP))({"x": x}, given)["y"], wanted, rtol=1e-12)


def test_attention_of_a_pointer_network() -> None:
    given = weights(POINTER, batch=2, m=3, n=4, d=6)
    q, e = RANDOM.normal(size=(2, 3, 6)), RANDOM.normal(size=(2, 4, 6))
    keys, queries = e @ given["point.W1"].T, q @ given["point.W2"].T
    wanted = np.tanh(keys[:, None] + queries[:, :, None]) @ given["point.v"]
    assert np.allclose(reference(graph(POINTER))({"q": q, "e": e}, given)["u"], wanted, rtol=1e-12)


def test_messages() -> None:
    x, src, dst = RANDOM.normal(size=(50, 3)), RANDOM.integers(0, 50, 2000), RANDOM.integers(0, 50, 2000)
    wanted = np.zeros((50, 3))
    np.add.at(wanted, dst, x[src])
    got = reference(graph(MESSAGES))({"x": x, "src": src, "dst": dst}, {})["y"]
    assert np.allclose(got, wanted)


def test_trace_names_every_intermediate() -> None:
    given, found = weights(MLP, width=8, depth=3, batch=2), dict[str, np.ndarray]()
    out = reference(graph(MLP))({"x": RANDOM.normal(size=(2, 4))}, given, {"depth": 3}, trace=found)
    assert set(given) <= set(found)
    assert any(np.array_equal(array, out["y"]) for array in found.values())


X = np.zeros((50, 3))
E = np.zeros(7, dtype=int)


@pytest.mark.parametrize(
    ("inputs", "hypers", "message"),
    [
        ({"x": X, "src": E}, {}, "the inputs are x, src, dst"),
        ({"x": X, "src": E, "dst": E[:3]}, {}, "positions on e"),
        ({"x": X[0], "src": E, "dst": E}, {}, "shape"),
        ({"x": X, "src": E, "dst": E}, {"n": 9}, "n is 9"),
        ({"x": X, "src": E, "dst": E}, {"q": 9}, "no size symbol q"),
        ({"x": X, "src": E, "dst": E + 50}, {}, "50 positions"),
        ({"x": X, "src": E, "dst": E - 1}, {}, "entries from -1"),
        ({"x": X, "src": E, "dst": E + 0.5}, {}, "index, but has entries of float64"),
        ({"x": X.astype(int), "src": E, "dst": E}, {}, "real, but has entries of int64"),
    ],
)
def test_refused_inputs(inputs: dict[str, np.ndarray], hypers: dict[str, int], message: str) -> None:
    with pytest.raises(MeaningError, match=message):
        reference(graph(MESSAGES))(inputs, {}, hypers)


def test_refused_parameters() -> None:
    given, x = weights(POINTER, batch=2, m=3, n=4, d=6), np.zeros((2, 3, 6))
    inputs = {"q": x, "e": x}
    point = reference(graph(POINTER))
    with pytest.raises(MeaningError, match="no parameter extra"):
        point(inputs, given | {"extra": x})
    with pytest.raises(MeaningError, match=r"point\.W1 is not given"):
        point(inputs, {"point.W2": given["point.W2"], "point.v": given["point.v"]})
    with pytest.raises(MeaningError, match="has shape"):
        point(inputs, given | {"point.v": given["point.v"][:-1]})


def test_an_assumption_is_checked() -> None:
    text = "net A (x: real[n]) -> (y: real[n]) { assume x > 0 return log(x) }"
    first = reference(graph(text))
    assert first({"x": np.ones(3)}, {})["y"].tolist() == [0, 0, 0]
    with pytest.raises(MeaningError, match="does not hold"):
        first({"x": -np.ones(3)}, {})


def test_a_promise_about_sizes_is_checked() -> None:
    text = "net A (x: real[n]) -> (y: real[n]) where n % 2 == 0 { return x }"
    with pytest.raises(MeaningError, match="n % 2 == 0"):
        reference(graph(text))({"x": np.ones(3)}, {})
