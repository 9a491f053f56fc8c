"""The library's pointers, sets, linear attention, experts and hypernetworks against their definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from archc.driver import build
from archc.run.load import instantiate, load_module
from tests.ops.test_std import agrees, close, drawn

SET = "net N (x: real[batch, n, d: 6]) -> (y: real[batch, {result}]) {{ return x |> {body} }}"
PAIR = "net N (x: real[batch, n, d: 6], z: real[batch, m, d: 6]) -> (y: real[batch, n, d: 6]) {{ return {body} }}"
BODIES = {
    "std.point": "net N (q: real[batch, m, d: 4], e: real[batch, n, d: 4]) -> (p: simplex(n)[batch, m, n])"
    " { return point(q, e) }",
    "std.sets.deep_set": SET.format(result="k: 3", body="deep_set(d -> k: 3, width = 5)"),
    "std.sets.exchangeable": SET.format(result="n, k: 3", body="exchangeable(d -> k: 3)"),
    "std.sets.mab": PAIR.format(body="mab(x, z, heads = 2)"),
    "std.sets.sab": SET.format(result="n, d: 6", body="sab(heads = 3)"),
    "std.sets.isab": SET.format(result="n, d: 6", body="isab(points = 2, heads = 2)"),
    "std.sets.pma": SET.format(result="n: 2, d: 6", body="pma(seeds = 2, heads = 2)"),
    "std.linear_attention": PAIR.format(body="linear_attention(x, z, heads = 2)"),
    "std.experts.select": "net N (x: real[batch, expert: 4]) -> (k: real[batch, expert: 4], c: bool[batch, expert: 4])"
    " { return select(x * x + 0.1, keep = 2) }",
    "std.experts": "net N (x: real[batch, n, d: 3]) -> (y: real[batch, n, d: 3], l: real[])"
    " { return experts(x, tokens = (batch, n), count = 3, keep = 2, width = 4) }",
    "std.hypernetwork.encode_magnitude": "net N (g: real[batch, c: 3]) -> (e: real[batch, part: 2, c: 3])"
    " { return g |> encode_magnitude() }",
    "std.hypernetwork.hyper_layer": "net N (x: real[batch, n, d: 4], e: real[batch, code: 2])"
    " -> (y: real[batch, n, k: 3]) { return hyper_layer(x, e, d -> k: 3, neuron = tanh) }",
}


def loaded(name: str, text: str = "") -> nn.Module:
    """The module of the net `N`, its parameters moved so that no zero or one hides a mistake."""
    spec = f"use {name}\n{text or BODIES[name]}"
    module = instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64, seed=0)
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            parameter += 0.3 * drawn(*parameter.shape, seed=number)
    return module


def only(module: nn.Module) -> nn.Module:
    """The only block that a net calls."""
    (block,) = module.children()
    return block


def dense(ours: nn.Module, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, getattr(ours, f"{name}_weight"), getattr(ours, f"{name}_bias"))


@pytest.mark.parametrize("name", BODIES)
def test_block_computes_its_formula(name: str) -> None:
    agrees(f"use {name}\n{BODIES[name]}")


def test_deep_set_is_a_map_of_a_sum() -> None:
    module, x = loaded("std.sets.deep_set"), drawn(2, 5, 6)
    inner, outer = only(module).children()
    h = dense(inner, "y", dense(inner, "h", x).relu()).sum(1)
    close(module(x), dense(outer, "y", dense(outer, "h", h).relu()))


@pytest.mark.parametrize("pool", ["mean", "max", "sum"])
def test_exchangeable_layer_commutes_with_the_order(pool: str) -> None:
    text = SET.format(result="n, k: 3", body=f"exchangeable(d -> k: 3, pool = {pool})")
    module, x = loaded("std.sets.exchangeable", text), drawn(2, 5, 6)
    block = only(module)
    common = {"mean": x.mean(1), "max": x.amax(1), "sum": x.sum(1)}[pool]
    weights = [parameter for parameter in block.parameters() if parameter.dim() == 2]
    (bias,) = (parameter for parameter in block.parameters() if parameter.dim() == 1)
    close(module(x), x @ weights[0].T + bias + (common @ weights[1].T)[:, None])
    order = torch.tensor([4, 2, 0, 1, 3])
    close(module(x[:, order]), module(x)[:, order])


def test_linear_attention_is_attention_with_a_kernel() -> None:
    """The quadratic form: weights phi(q) . phi(k) over every pair, divided by their sum."""
    module = loaded("std.linear_attention")
    block = only(module)
    x, z = drawn(2, 5, 6), drawn(2, 7, 6, seed=1)
    weights = [parameter for parameter in block.parameters() if parameter.dim() == 3]
    biases = [parameter for parameter in block.parameters() if parameter.dim() <= 2]
    q, key, val = (
        torch.einsum("hkd,bnd->bhnk", weight, value) + bias[:, None]
        for weight, bias, value in zip(weights, biases, (x, z, z), strict=False)
    )
    scores = (functional.elu(q) + 1) @ (functional.elu(key) + 1).mT
    found = (scores / (scores.sum(-1, keepdim=True) + 1e-6)) @ val
    close(module(x, z), torch.einsum("dhk,bhnk->bnd", weights[3], found) + biases[3])


def test_linear_attention_makes_no_table_of_pairs() -> None:
    """Time and memory are linear: no tensor has both n and m."""
    spec = f"use std.linear_attention\n{BODIES['std.linear_attention']}"
    assert not any("n, m" in line or "m, n" in line for line in build(spec).splitlines())


@pytest.mark.parametrize("keep", [1, 2, 4])
def test_select_keeps_the_largest(keep: int) -> None:
    text = BODIES["std.experts.select"].replace("keep = 2", f"keep = {keep}")
    module, x = loaded("std.experts.select", text), drawn(50, 4)
    gate = x * x + 0.1
    best = gate.topk(keep).indices
    wanted = torch.zeros_like(gate).scatter(1, best, gate.gather(1, best))
    kept, chosen = module(x)
    close(kept, wanted / wanted.sum(1, keepdim=True))
    assert torch.equal(chosen, torch.zeros_like(gate).scatter(1, best, 1) == 1)


def test_select_keeps_the_first_of_equals() -> None:
    kept, _ = loaded("std.experts.select")(torch.ones(1, 4, dtype=torch.float64))
    close(kept, torch.tensor([[0.5, 0.5, 0.0, 0.0]], dtype=torch.float64))


def mixed(block: nn.Module, x: Tensor, gates: Tensor) -> Tensor:
    """Every expert's output times its gate, summed."""
    pairs = zip(block.W1, block.W2, strict=True)
    outputs = [functional.linear(functional.linear(x, w1).relu(), w2) for w1, w2 in pairs]
    return (gates[..., None] * torch.stack(outputs, 2)).sum(2)


def test_experts_are_a_sum_over_all_of_them_with_masked_gates() -> None:
    module, x = loaded("std.experts"), drawn(2, 5, 3)
    block = only(module)
    gate = torch.softmax(functional.linear(x, block.layer_weight), -1)
    best = gate.topk(2).indices
    kept = torch.zeros_like(gate).scatter(2, best, gate.gather(2, best))
    kept = kept / kept.sum(2, keepdim=True)
    y, balance = module(x)
    close(y, mixed(block, x, kept))
    share = torch.stack([(best == expert).double().sum() / (2 * 10) for expert in range(3)])
    close(balance, 3 * (share * gate.mean((0, 1))).sum())


def test_keeping_all_experts_is_the_dense_mixture() -> None:
    module, x = loaded("std.experts", BODIES["std.experts"].replace("keep = 2", "keep = 3")), drawn(2, 5, 3)
    block = only(module)
    gate = torch.softmax(functional.linear(x, block.layer_weight), -1)
    close(module(x).y, mixed(block, x, gate))


def test_an_encoded_input_has_the_same_magnitude_whatever_it_is() -> None:
    g = torch.rand(100, 3, dtype=torch.float64)
    e = loaded("std.hypernetwork.encode_magnitude")(g)
    close(e.square().sum((1, 2)), torch.full((100,), 3.0, dtype=torch.float64))
    close(e, torch.stack((torch.cos(math.pi / 2 * g), torch.sin(math.pi / 2 * g)), 1))


def test_hyper_layer_has_weights_of_its_own_for_every_code() -> None:
    module = loaded("std.hypernetwork.hyper_layer")
    block = only(module)
    x, e = drawn(2, 5, 4), drawn(2, 2, seed=1)
    wanted = [
        torch.tanh(points @ (block.weight + block.layer_weight @ code).T + block.bias + block.layer_2_weight @ code)
        for points, code in zip(x, e, strict=True)
    ]
    close(module(x, e), torch.stack(wanted))


def test_point_scores_every_position() -> None:
    """Equation 3 of pointer networks, one query and one position at a time."""
    module = loaded("std.point")
    block = only(module)
    q, e = drawn(2, 3, 4), drawn(2, 5, 4, seed=1)
    u = torch.zeros(2, 3, 5, dtype=torch.float64)
    for batch, m, n in np.ndindex(2, 3, 5):
        u[batch, m, n] = (block.v @ torch.tanh(block.W1 @ e[batch, n] + block.W2 @ q[batch, m])).detach()
    close(module(q, e), torch.softmax(u, -1))
