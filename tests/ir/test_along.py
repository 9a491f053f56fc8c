"""A region at all positions of a further axis is the region at each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archc.driver import graph
from archc.ir.along import Along
from archc.ir.node import Region, Value
from archc.readings.values import reference
from archc.types.size import Size
from archc.types.tensor_type import Axis, TensorType

BODIES = {
    "formulas": "let u[d] = sum e: w[e: e, d: d] * x[d: e] return tanh(u) + x",
    "a shifted read": "return x[d: d - 1 else 0] + x",
    "an operation": "return softmax(x, over = d) * x",
    "what is the same everywhere": "let s = softmax(sum e: w, over = d) return s * x",
}


@pytest.mark.parametrize("name", BODIES)
def test_every_position_is_by_itself(name: str) -> None:
    net = graph(f"net N(x: real[d: 3], w: real[e: 3, d: 3]) -> (y: real[d: 3]) {{ {BODIES[name]} }}")
    region, t = net.net.region, Axis("t", Size.of(4))
    x, *others = region.inputs
    names = (f"{x.name}_{number}" for number in range(10**6))
    along = Along(t, {x.name: "all"}, lambda hint: f"{hint}_{next(names)}")
    along.add(region.nodes)
    same = [node for node in region.nodes if not along.known.keys() & {value.name for value in node.results}]
    (output,) = region.outputs
    wide = Region(
        (Value("all", TensorType(x.type.kind, (t, *x.type.axes))), *others),
        (*same, *along.nodes),
        (along.known[output],),
    )
    block = replace(net.net, region=wide)
    run = reference(replace(net, blocks={**net.blocks, net.entry: block}))
    random = np.random.default_rng(0)
    given, w = random.standard_normal((4, 3)), random.standard_normal((3, 3))
    found = run({"all": given, "w": w}, {})["y"]
    assert found.shape == (4, 3)
    for row, one in zip(found, given, strict=True):
        np.testing.assert_allclose(row, reference(net)({"x": one, "w": w}, {})["y"], rtol=1e-12)
