"""Tangents of regions, value by value, against finite differences of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from archc.derive.region import OpaqueError, is_affine, mixing, tangents
from archc.driver import graph
from archc.formula.tree import Apply, Literal, Position
from archc.ir.graph import TypedGraph
from archc.ir.node import Compute, Region, Value
from archc.readings.values import reference
from archc.types.size import Size
from archc.types.tensor_type import REAL, Axis, TensorType

RANDOM = np.random.default_rng(2)
SHAPES = {"h": (3, 4, 2), "x": (3, 4, 2), "w": (2, 2)}
AXES = ("b", "d", "k")

STEPS = {
    "gates": """
        let z[b, d, k] = sigmoid(x + h * 2)
        let r[b, d, k] = tanh(x - h) * z
        return (1 - z) * h + z * r""",
    "recurrence": "return exp(-softplus(x)) * h + x",
    "blocks": """
        let u[b, d, k: 2] = sum j: w[j: k, k: j] * h[k: j]
        let v[b, d, k: 2] = u + tanh(h) * x
        return v""",
    "distribution": "return softmax(h * x, over = d) + h",
    "normalised": """
        let y = h + x
        return normalise(y, over = k) * x""",
    "all": """
        let m[b] = sum d, k: h * h
        return h / sqrt(1 + m)""",
    "not at all": "return softmax(x, over = d)",
    "as it is": "return identity(h)",
}
EVERY = pytest.mark.parametrize("name", STEPS)


def step(name: str) -> TypedGraph:
    ports = "h: real[b, d: 4, k: 2], x: real[b, d: 4, k: 2], w: real[j: 2, k: 2]"
    return graph(f"net Step ({ports}) -> (y: real[b, d: 4, k: 2]) {{ {STEPS[name]} }}")


def arrays() -> dict[str, np.ndarray]:
    return {name: RANDOM.uniform(-1, 1, shape) for name, shape in SHAPES.items()}


def run(net: TypedGraph, region: Region, given: Mapping[str, np.ndarray]) -> np.ndarray:
    block = replace(net.net, region=region)
    return reference(replace(net, blocks={**net.blocks, net.entry: block}))(given, {})["y"]


def moved(net: TypedGraph, given: Mapping[str, np.ndarray], direction: np.ndarray) -> np.ndarray:
    def slope(size: float) -> np.ndarray:
        ahead, behind = (
            run(net, net.net.region, {**given, "h": given["h"] + sign * size * direction}) for sign in (1, -1)
        )
        return (ahead - behind) / (2 * size)

    return (4 * slope(5e-5) - slope(1e-4)) / 3


@EVERY
def test_a_region_moves_as_its_tangents_say(name: str) -> None:
    net, numbers = step(name), count()
    region = net.net.region
    moving = Value("dh", region.inputs[0].type)
    found = tangents(region, {"h": "dh"}, lambda hint: f"{hint}_{next(numbers)}")
    given, direction = arrays(), RANDOM.standard_normal(SHAPES["h"])
    (output,) = found.outputs
    if name == "not at all":
        assert output == Literal(0.0)
        return
    assert isinstance(output, str)
    whole = Region((*region.inputs, moving), found.nodes, (output,))
    got = run(net, whole, {**given, "dh": direction})
    np.testing.assert_allclose(got, moved(net, given, direction), rtol=1e-8, atol=1e-9)


MIXED = {
    "gates": "",
    "recurrence": "",
    "blocks": "k",
    "distribution": "d",
    "normalised": "k",
    "all": "dk",
    "as it is": "",
}


@EVERY
def test_which_axes_mix(name: str) -> None:
    region = step(name).net.region
    found = mixing(region, ("h",)).get(region.outputs[0])
    assert found == (None if name == "not at all" else frozenset(MIXED[name]))


@EVERY
def test_what_is_affine(name: str) -> None:
    assert is_affine(step(name).net.region, ("h",)) == (name in ("recurrence", "not at all", "as it is"))


@pytest.mark.parametrize("name", ["gates", "recurrence"])
def test_moving_by_one_gives_the_diagonal(name: str) -> None:
    net, numbers = step(name), count()
    region = net.net.region
    found = tangents(region, {"h": Literal(1.0)}, lambda hint: f"{hint}_{next(numbers)}")
    (output,) = found.outputs
    assert isinstance(output, str)
    given = arrays()
    got = run(net, Region(region.inputs, found.nodes, (output,)), given)
    np.testing.assert_allclose(got, moved(net, given, np.ones(SHAPES["h"])), rtol=1e-8, atol=1e-9)


def test_moving_along_a_direction_gives_blocks() -> None:
    net, numbers = step("blocks"), count()
    region = net.net.region
    column = Axis("column", Size.of(2))
    type = region.inputs[0].type
    same = Apply("eq", (Position("k"), Position("column")))
    unit = Compute(
        results=(Value("unit", TensorType(REAL, (*type.axes, column))),),
        span=region.nodes[0].span,
        formula=Apply("where", (same, Literal(1.0), Literal(0.0))),
    )
    found = tangents(region, {"h": "unit"}, lambda hint: f"{hint}_{next(numbers)}", (column,))
    (output,) = found.outputs
    assert isinstance(output, str)
    given = arrays()
    got = run(net, Region(region.inputs, (unit, *found.nodes), (output,)), given)
    for k in range(2):
        direction = np.zeros(SHAPES["h"])
        direction[..., k] = 1
        np.testing.assert_allclose(got[..., k], moved(net, given, direction), rtol=1e-8, atol=1e-9)


def test_a_loop_has_no_formula() -> None:
    text = "net Loop (h: real[d]) -> (y: real[d]) { let y = repeat 2 with h { return tanh(h) } return y }"
    region = graph(text).net.region
    for derive in (
        lambda: is_affine(region, ("h",)),
        lambda: mixing(region, ("h",)),
        lambda: tangents(region, {"h": Literal(1.0)}, str),
    ):
        with pytest.raises(OpaqueError, match="Repeat"):
            derive()
