"""Along which axes positions meet."""

from __future__ import annotations

import pytest

from archc.driver import graph
from archc.ir.independent import independent

APART = {
    "elementwise": "return tanh(x) * x + w",
    "mixes another axis": "return layer(x, d -> d) |> softmax(over = d)",
    "a block": "return cell(x)",
    "a loop": "return repeat 3 with h = x { return cell(h) + x }",
    "a scan along another axis": """
        let (h, y) = scan over d with h = x[d: 0] { let h = h + x emit h return h }
        return y""",
}
MEET = {
    "sum": "let s = sum b: x let y[b, d] = s + x return y",
    "roll": "return x[b: (b + 1) % size(b)]",
    "one entry": "let y[b, d] = x[b: 0] + x return y",
    "distribution": "return softmax(x, over = b)",
    "twin": "let y[b, d] = sum c: x[b: c] * x return y",
    "in a block": "return mixed(x)",
    "in a loop": "return repeat 2 with h = x { return h - mean(h, over = b) }",
    "scan along it": "let (h, y) = scan over b with h = x[b: 0] { let h = h + x emit h return h } return y",
    "not in the result": "return y0",
}


def found(body: str) -> tuple[str, ...] | None:
    text = f"""
        block cell(x: real[d]) -> (y: real[d]) {{ return tanh(layer(x, d -> d)) }}
        block mixed(x: real[b, d]) -> (y: real[b, d]) {{ let m = mean(x, over = b) let y[b, d] = x - m return y }}
        net N(x: real[b, d: 3], w: real[d: 3], y0: real[b, d: 3]) -> (y: real[b, d: 3]) {{ {body} }}"""
    net = graph(text)
    return independent(net.net.region, {net.net.region.inputs[0].name: "b"}, net.blocks)


@pytest.mark.parametrize("name", APART)
def test_positions_that_do_not_meet(name: str) -> None:
    assert found(APART[name]) == ("b",)


@pytest.mark.parametrize("name", MEET)
def test_positions_that_may_meet(name: str) -> None:
    assert found(MEET[name]) is None


def test_the_axis_may_change_its_name() -> None:
    net = graph("net N(x: real[b, d: 3]) -> (y: real[c, d: 3]) { let y[c: size(b), d] = 2 * x[b: c] return y }")
    assert independent(net.net.region, {"x": "b"}, net.blocks) == ("c",)
