"""Operators on functions written out, with the same parameters, in float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.specs.conftest import ROOT
from tests.specs.test_parity import close, drawn, loaded, passes


def dense(ours: nn.Module, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, getattr(ours, f"{name}_weight"), getattr(ours, f"{name}_bias"))


def norm(ours: nn.Module, x: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], ours.gain, ours.bias)


def test_multionet_is_a_mean_of_products() -> None:
    ours = loaded(ROOT / "operators/multionet.arch", width=6, depth=3)
    u, y = drawn(3, 100), drawn(3, 4, 2, seed=1)
    b, t = functional.silu(dense(ours, "b", u)), functional.silu(dense(ours, "t", y))
    total = torch.zeros(3, 4, dtype=torch.float64)
    for body in passes(ours):
        (branch, branch_bias), (trunk, trunk_bias) = (
            [parameter for name, parameter in body.named_parameters() if name.startswith(word)] for word in ("b", "t")
        )
        b = functional.silu(functional.linear(b, branch, branch_bias))
        t = functional.silu(functional.linear(t, trunk, trunk_bias))
        total = total + body.gain * (b[:, None] * t).sum(-1)
    close(ours(u, y), total / 3 + ours.bias)
    order = torch.tensor([2, 0, 3, 1])
    close(ours(u, y[:, order]), ours(u, y)[:, order])


def sliced(ours: nn.Module, x: Tensor) -> Tensor:
    """Physics-Attention, head by head: equations 1 to 4 on the points [n, d] of one sample."""
    heads, width, _ = ours.u_weight.shape
    found = []
    for head in range(heads):
        u, f = (x @ getattr(ours, f"{name}_weight")[head].T + getattr(ours, f"{name}_bias")[head] for name in "uf")
        w = torch.softmax(dense(ours, "layer", u) / ours.temperature[head], -1)  # [n, slices]
        z = (w.T @ f) / (w.sum(0) + 1e-5)[:, None]
        q, key, val = (z @ getattr(ours, f"{name}_weight").T for name in ("q", "key", "val"))
        found.append(w @ (torch.softmax(q @ key.T / math.sqrt(width), -1) @ val))
    return functional.linear(torch.cat(found, 1), ours.y_weight.flatten(1), ours.y_bias)


def mlp(ours: nn.Module, x: Tensor) -> Tensor:
    return dense(ours, "y", functional.gelu(dense(ours, "h", x)))


def test_transolver() -> None:
    ours = loaded(ROOT / "operators/transolver.arch", width=8, depth=2, heads=2, slices=3)
    x, u = drawn(2, 7, 2), drawn(2, 7, 1, seed=1)
    wanted = []
    for points, values in zip(x, u, strict=True):
        h = mlp(ours.mlp, torch.cat((points, values), 1))
        for body in passes(ours):
            first, second = (child for child in body.children() if hasattr(child, "gain"))
            (perceptron,) = (child for child in body.children() if hasattr(child, "h_weight"))
            h = h + sliced(body.physics_attention, norm(first, h))
            h = h + mlp(perceptron, norm(second, h))
        (last,) = (child for child in ours.children() if hasattr(child, "gain"))
        wanted.append(dense(ours, "y", norm(last, h)))
    close(ours(x, u), torch.stack(wanted))
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    close(ours(x[:, order], u[:, order]), ours(x, u)[:, order])
