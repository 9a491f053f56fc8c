"""Sequence specs equal the same nets written by hand as loops, with the same parameters, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from archc.run.load import solved_to_rounding
from tests.specs.conftest import ROOT
from tests.specs.test_parity import close, drawn, loaded

Weights = Mapping[str, Tensor]
Layer = Callable[[Tensor, Weights], Tensor]


def inside(weights: Weights, prefix: str) -> Weights:
    """The parameters below a module, by their names in it."""
    return {
        name.removeprefix(f"{prefix}."): weight for name, weight in weights.items() if name.startswith(f"{prefix}.")
    }


def linear(x: Tensor, weights: Weights, name: str) -> Tensor:
    return functional.linear(x, weights[f"{name}_weight"], weights.get(f"{name}_bias"))


def rms_norm(x: Tensor, gain: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * gain


def layer_norm(x: Tensor, weights: Weights) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], weights["gain"], weights["bias"])


def test_gru() -> None:
    ours = loaded(ROOT / "sequence/gru.arch", width=5)
    weights = inside(dict(ours.named_parameters()), "gru.h_step")
    names = {
        (gate, of): name
        for name, (gate, of) in zip(
            ("layer", "layer_2", "layer_3", "layer_4", "layer_5", "layer_6"),
            ((gate, of) for gate in "zrc" for of in "xh"),
            strict=True,
        )
    }
    x = drawn(2, 7, 8)
    h = ours.h0.expand(2, 5)
    found = []
    for step in range(7):
        z, r = (
            torch.sigmoid(linear(x[:, step], weights, names[gate, "x"]) + linear(h, weights, names[gate, "h"]))
            for gate in "zr"
        )
        c = torch.tanh(linear(x[:, step], weights, names["c", "x"]) + linear(r * h, weights, names["c", "h"]))
        h = (1 - z) * h + z * c
        found.append(h)
    close(ours(x), torch.stack(found, 1))


def test_para_gru() -> None:
    """The states of the loop and the gradient by every parameter: up to the tolerance after 3 iterations of Newton's
    method, as close as any after many."""
    ours = loaded(ROOT / "sequence/para_gru.arch", width=5)
    every = dict(ours.named_parameters())
    weights = inside(every, "para_gru")
    x = drawn(2, 40, 8)
    h = every["h0"].expand(2, 5)
    found = []
    for step in range(40):
        z, r, c = (linear(x[:, step], inside(weights, "h_step"), name) for name in ("layer", "layer_2", "layer_3"))
        z, r = torch.sigmoid(weights["a_z"] * h + z), torch.sigmoid(weights["a_r"] * h + r)
        c = torch.tanh(weights["a_c"] * (h * r) + c)
        h = (1 - z) * h + z * c
        found.append(h)
    states = torch.stack(found, 1)
    (wanted,) = torch.autograd.grad(states.square().sum(), weights["h_step.layer_weight"], retain_graph=True)
    torch.testing.assert_close(ours(x), states, rtol=0, atol=1e-4)
    (slope,) = torch.autograd.grad(ours(x).square().sum(), weights["h_step.layer_weight"])
    assert (slope - wanted).norm() <= 1e-2 * wanted.norm()
    with solved_to_rounding(type(ours)):
        close(ours(x), states)
        slopes, every_wanted = (torch.autograd.grad(y.square().sum(), list(every.values())) for y in (ours(x), states))
    for one, other in zip(slopes, every_wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


def pointer_lstm(weights: Weights) -> nn.LSTM:
    lstm = nn.LSTM(2, 6, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(weights["read_weight"].reshape(24, 2))
        lstm.weight_hh_l0.copy_(weights["h_step.layer_weight"].reshape(24, 6))
        lstm.bias_ih_l0.copy_(weights["read_bias"].flatten())
        lstm.bias_hh_l0.zero_()
    return lstm


def test_pointer() -> None:
    ours = loaded(ROOT / "pointer/pointer.arch", width=6)
    weights = dict(ours.named_parameters())
    points, chosen = drawn(3, 5, 2), torch.tensor([[0, 4, 2, 1], [3, 3, 0, 4], [1, 2, 4, 0]])
    e, state = pointer_lstm(inside(weights, "lstm"))(points)
    fed = torch.stack([points[sample, chosen[sample]] for sample in range(3)])
    fed = torch.cat((weights["start"].expand(3, 1, 2), fed[:, :-1]), 1)
    q, _ = pointer_lstm(inside(weights, "lstm_2"))(fed, state)
    for m in range(4):
        u = torch.tanh(e @ weights["point.W1"].T + (q[:, m] @ weights["point.W2"].T)[:, None]) @ weights["point.v"]
        close(ours(points, chosen)[:, m], u.softmax(-1))


def recurred(turn: Tensor, drive: Tensor) -> Tensor:
    """h[t] = turn h[t - 1] + drive[t] of complex numbers, from zeros."""
    h, found = torch.zeros_like(drive[:, 0]), []
    for step in range(drive.shape[1]):
        h = turn * h + drive[:, step]
        found.append(h)
    return torch.stack(found, 1)


def lru(x: Tensor, weights: Weights) -> Tensor:
    turn = torch.polar((-weights["nu"].exp()).exp(), weights["theta"].exp())
    enters, leaves = (torch.view_as_complex(weights[name]) for name in ("B", "C"))
    drive = (1 - turn.abs() ** 2).sqrt() * (x.cdouble() @ enters.T)
    return (recurred(turn, drive) @ leaves.T).real + weights["D"] * x


def s5(x: Tensor, weights: Weights) -> Tensor:
    poles = torch.complex(-weights["a"].exp(), 3.14159265 * torch.arange(len(weights["w"])) + weights["w"])
    turn = (poles * weights["pace"].exp()).exp()
    enters, leaves = (torch.view_as_complex(weights[name]) for name in ("B", "C"))
    drive = (turn - 1) / poles * (x.cdouble() @ enters.T)
    return 2 * (recurred(turn, drive) @ leaves.T).real + weights["D"] * x


def lru_mixer(x: Tensor, weights: Weights) -> Tensor:
    h = functional.gelu(lru(layer_norm(x, inside(weights, "norm")), inside(weights, "lru")))
    return x + linear(h, weights, "layer") * torch.sigmoid(linear(h, weights, "layer_2"))


def s5_mixer(x: Tensor, weights: Weights) -> Tensor:
    u = functional.gelu(s5(layer_norm(x, inside(weights, "norm")), inside(weights, "s5")))
    return x + u * torch.sigmoid(linear(u, weights, "layer"))


@pytest.mark.parametrize(("name", "mixer"), [("lru", lru_mixer), ("s5", s5_mixer)])
def test_state_spaces(name: str, mixer: Layer) -> None:
    ours = loaded(ROOT / f"sequence/{name}.arch", width=5, states=4, depth=2)
    weights, x = dict(ours.named_parameters()), drawn(2, 9, 3)
    h = linear(x, weights, "h")
    for number in range(2):
        h = mixer(h, inside(weights, f"h_passes.{number}"))
    close(ours(x), linear(h.mean(1), weights, "logits"))


def selective_scan(u: Tensor, weights: Weights) -> Tensor:
    """Gu and Dao, algorithm 2, in the form of their reference: dt A for the state, dt B for what enters."""
    step = functional.softplus(linear(linear(u, weights, "layer"), weights, "layer_2") + weights["pace"])
    poles = -torch.exp(weights["A_log"] + torch.log(torch.arange(1, 1 + weights["A_log"].shape[1])))
    enters, leaves = linear(u, weights, "B"), linear(u, weights, "C")
    h, found = torch.zeros(len(u), *poles.shape, dtype=u.dtype), []
    for t in range(u.shape[1]):
        dt = step[:, t, :, None]
        h = torch.exp(dt * poles) * h + dt * enters[:, t, None] * u[:, t, :, None]
        found.append((h * leaves[:, t, None]).sum(-1))
    return torch.stack(found, 1) + weights["D"] * u


def mamba_mixer(x: Tensor, weights: Weights) -> Tensor:
    u = functional.pad(linear(x, weights, "u").mT, (3, 0))
    u = functional.conv1d(u, weights["taps"][:, None], weights["offset"], groups=u.shape[1])
    y = selective_scan(functional.silu(u).mT, inside(weights, "selective"))
    return linear(y * functional.silu(linear(x, weights, "z")), weights, "y")


def test_mamba() -> None:
    ours = loaded(ROOT / "sequence/mamba.arch", width=4, states=3, rank=2, depth=2)
    weights, x = dict(ours.named_parameters()), drawn(2, 9, 8)
    h = linear(x, weights, "h")
    for number in range(2):
        own = inside(weights, f"h_passes.{number}")
        h = h + mamba_mixer(rms_norm(h, own["rms_norm.gain"]), inside(own, "mixer"))
    (gain,) = (weight for name, weight in weights.items() if name.startswith("rms_norm"))
    close(ours(x), linear(rms_norm(h, gain), weights, "y"))


def read(x: Tensor, weights: Weights, name: str) -> Tensor:
    """What a layer into heads gives: [batch, t, head, unit]."""
    weight = weights[f"{name}_weight"]
    bias = weights.get(f"{name}_bias")
    return functional.linear(x, weight.flatten(0, 1), None if bias is None else bias.flatten()).unflatten(
        -1, weight.shape[:2]
    )


def causal_attention(x: Tensor, weights: Weights) -> Tensor:
    q, key = (functional.elu(read(x, weights, name)) + 1 for name in ("q", "key"))
    score = torch.einsum("bthk,bshk->bhts", q, key).tril()
    y = torch.einsum("bhts,bshc->bthc", score, read(x, weights, "val"))
    y = y / (score.sum(-1) + 1e-6).mT[..., None]
    return functional.linear(y.flatten(2), weights["y_weight"].flatten(1), weights["y_bias"])


def delta_net(x: Tensor, weights: Weights) -> Tensor:
    q, key, val = (functional.silu(read(x, weights, name)) for name in ("q", "key", "val"))
    q, key = (one * (one.square().sum(-1, keepdim=True) + 1e-6).rsqrt() for one in (q, key))
    beta = torch.sigmoid(linear(x, weights, "beta"))
    fast, found = torch.zeros(*q[:, 0].shape, val.shape[-1], dtype=x.dtype), []
    for t in range(x.shape[1]):
        held = torch.einsum("bhk,bhkc->bhc", key[:, t], fast)
        fast = fast + torch.einsum("bh,bhk,bhc->bhkc", beta[:, t], key[:, t], val[:, t] - held)
        found.append(torch.einsum("bhk,bhkc->bhc", q[:, t], fast) / q.shape[-1] ** 0.5)
    return functional.linear(torch.stack(found, 1).flatten(2), weights["y_weight"].flatten(1))


def test_linear_transformer() -> None:
    ours = loaded(ROOT / "sequence/linear_transformer.arch", width=8, heads=2, depth=2)
    weights, x = dict(ours.named_parameters()), drawn(2, 9, 8)
    h = linear(x, weights, "h")
    for number in range(2):
        own = inside(weights, f"h_passes.{number}")
        h = layer_norm(h + causal_attention(h, inside(own, "causal_attention")), inside(own, "norm"))
        h = layer_norm(h + linear(functional.gelu(linear(h, own, "layer")), own, "inner"), inside(own, "norm_2"))
    close(ours(x), linear(h, weights, "y"))


def test_deltanet() -> None:
    ours = loaded(ROOT / "sequence/deltanet.arch", width=8, heads=2, depth=2)
    weights, x = dict(ours.named_parameters()), drawn(2, 9, 8)
    h = linear(x, weights, "h")
    for number in range(2):
        own = inside(weights, f"h_passes.{number}")
        first, second = (own[name] for name in own if name.startswith("rms_norm"))
        h = h + delta_net(rms_norm(h, first), inside(own, "delta_net"))
        z = rms_norm(h, second)
        gate = functional.silu(linear(z, own, "gate"))
        h = h + linear(gate * linear(z, own, "layer"), own, "layer_2")
    (gain,) = (weight for name, weight in weights.items() if name.startswith("rms_norm"))
    close(ours(x), linear(rms_norm(h, gain), weights, "y"))
