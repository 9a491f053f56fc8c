"""A size that only what surrounds a loop tells is given to every pass: no constructor asks for it."""

from __future__ import annotations

import pytest
import torch
from torch.export import Dim

import archc
from archc.driver import build, graph
from archc.ir.same import same
from archc.ir.text import print_graph
from archc.run.verify import verify

LOOPS = {
    "scan": """scan over t with h = 0.0 { return h + x / size(t) }""",
    "positions": """scan over t with h = 0.0 {
        let w[s: size(t)] = sin(s)
        return 0.5 * h + x * (sum s: w)
    }""",
    "scan in a scan": """scan over t with h = 0.0 {
        let g = scan over k: 3 with g = 0.0 { return 0.5 * g + (k + 1) * x / size(t) }
        return 0.5 * h + g
    }""",
    "recurrence": """scan over t with h = 0.0 using associative() { return h * sigmoid(x) / size(t) + x }""",
    "newton": """scan over t with h = 0.0 using newton(iterations = 7) {
        return tanh(0.5 * h / size(t) + x)
    }""",
    "repeat": """repeat 3 with h = mean t: x { return tanh(h / size(t) + 1) }""",
    "fixpoint": """fixpoint with z = 0.0 { return 0.5 * sin(z / size(t)) + mean t: x }""",
}


def spec(loop: str) -> str:
    return f"net N(x: real[batch, t, d]) -> (y: real[batch, d]) {{ return {LOOPS[loop]} }}"


@pytest.mark.parametrize("loop", LOOPS)
def test_it_agrees_with_the_reference(loop: str) -> None:
    report = verify(graph(spec(loop)), build(spec(loop)))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


@pytest.mark.parametrize("loop", LOOPS)
def test_its_text_says_the_same(loop: str) -> None:
    net = graph(spec(loop))
    assert same(net, graph(print_graph(net)))


@pytest.mark.parametrize("loop", LOOPS)
def test_one_module_takes_every_length(loop: str) -> None:
    module = archc.load(spec(loop))
    short, long = torch.randn(2, 5, 3), torch.randn(2, 9, 3)
    exported = torch.export.export(module, (short,), dynamic_shapes=({0: Dim.AUTO, 1: Dim.DYNAMIC},)).module()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    for x in (short, long):
        torch.testing.assert_close(exported(x), module(x))
        torch.testing.assert_close(compiled(x), module(x))
    assert not torch.equal(module(long), module(long[:, -5:]))
