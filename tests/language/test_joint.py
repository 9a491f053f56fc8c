"""Joint edges: blocks that map the unit axes themselves, alone and in the algebra of edges."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from archc.driver import build, graph
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

SPEC = """
block mix(J -> I, width: int = 5) (x: real[J]) -> (y: real[I]) {{
    return x |> layer(J -> hidden: width, bias = none, neuron = tanh) |> layer(hidden -> I, bias = none)
}}

net N (x: real[batch, d: 3]) -> (y: real[batch, {out}: 4]) {{ {body} }}
"""


def spec(body: str, out: str = "d") -> str:
    return SPEC.format(body=body, out=out)


def mixed(net: nn.Module, x: Tensor, at: int = 0) -> Tensor:
    """The block `mix` written out, with the weights of the module's first or second use of it."""
    first, last = list(net.children())[at].parameters()
    return functional.linear(torch.tanh(functional.linear(x, first)), last)


def expected(kind: str, net: nn.Module, x: Tensor) -> Tensor:
    own = dict(net.named_parameters())
    match kind:
        case "alone":
            return torch.relu(mixed(net, x) + own["y_bias"])
        case "sum":
            return mixed(net, x) - functional.linear(x, own["y_weight"])
        case "scaled":
            return 3 * mixed(net, x)
        case "chain":
            return own["y_weight_2"] * mixed(net, own["y_weight"] * torch.sin(x))
        case "two in a chain":
            return mixed(net, torch.tanh(mixed(net, x)), 1)
        case _:
            return mixed(net, functional.silu(x)) + functional.linear(functional.silu(x), own["y_weight"])


EDGES = {
    "alone": "x |> layer(d -> d: 4, edge = mix, neuron = relu)",
    "sum": "x |> layer(d -> d: 4, edge = mix(width = 2) - weight, bias = none)",
    "scaled": "x |> layer(d -> k: 4, edge = 3 * mix, bias = none)",
    "chain": "x |> layer(d -> d: 4, edge = sin >> weight >> mix >> weight, bias = none)",
    "two in a chain": "x |> layer(d -> d: 4, edge = mix >> tanh >> mix(width = 6), bias = none)",
    "sum in a chain": "x |> layer(d -> d: 4, edge = silu >> (mix + weight), bias = none)",
}


@pytest.mark.parametrize("kind", EDGES)
def test_joint_edge(kind: str) -> None:
    text = spec(f"return {EDGES[kind]}", "k" if kind == "scaled" else "d")
    net = instantiate(load_module(build(text), "N"), {}, dtype=torch.float64)
    x = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(x), expected(kind, net, x), rtol=1e-12, atol=1e-12)
    report = verify(graph(text), build(text), regimes=("primes", "ones"))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


def test_a_shared_layer_has_each_of_its_weights_once() -> None:
    text = spec("""
        let a = x |> layer(d -> d: 4)
        share f = layer(d -> d, edge = weight >> tanh >> weight + mix + 2 * mix, bias = none)
        return a |> f() |> f()""")
    net = instantiate(load_module(build(text), "N"), {}, dtype=torch.float64)
    shapes = [tuple(one.shape) for name, one in net.named_parameters() if name.startswith("f_")]
    assert shapes == [(4, 4), (4, 4), *2 * [(5, 4), (4, 5)]]


def test_two_weights_of_a_shared_layer_differ() -> None:
    text = spec("share f = layer(d -> d: 4, edge = weight >> tanh >> weight, bias = none)  return f(x)")
    net = instantiate(load_module(build(text), "N"), {}, dtype=torch.float64)
    x = torch.randn(2, 3, dtype=torch.float64)
    first, second = net.get_parameter("f_weight"), net.get_parameter("f_weight_2")
    wanted = torch.einsum("ij,bij->bi", second, torch.tanh(first * x[:, None]))
    torch.testing.assert_close(net(x), wanted)
