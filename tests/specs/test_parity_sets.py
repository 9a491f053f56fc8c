"""Set Transformer (Lee et al., arXiv 1810.00825) written out head by head, with the same parameters, in float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.specs.conftest import ROOT
from tests.specs.test_parity import close, drawn, loaded


def multihead(ours: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Section 2.1: every head with its own projections, scores divided by the square root of the whole width."""
    heads, found = len(ours.q_weight), []
    for head in range(heads):
        q, key, val = (
            functional.linear(value, getattr(ours, f"{name}_weight")[head], getattr(ours, f"{name}_bias")[head])
            for name, value in (("q", x), ("key", y), ("val", y))
        )
        weights = torch.softmax(q @ key.T / math.sqrt(x.shape[-1]), dim=-1)
        found.append(weights @ val)
    return functional.linear(torch.cat(found, dim=-1), ours.layer_weight.flatten(1), ours.layer_bias)


def mab(ours: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Equations 6 and 7."""
    norms = [(norm.gain, norm.bias) for norm in (ours.norm, ours.norm_2)]
    h = functional.layer_norm(x + multihead(ours, x, y), x.shape[-1:], *norms[0])
    row_wise = functional.linear(h, ours.layer_2_weight, ours.layer_2_bias).relu()
    return functional.layer_norm(h + row_wise, x.shape[-1:], *norms[1])


def isab(ours: nn.Module, x: Tensor) -> Tensor:
    """Equations 9 and 10."""
    first, second = ours.children()
    return mab(second, x, mab(first, ours.inducing, x))


def pma(ours: nn.Module, x: Tensor) -> Tensor:
    """Equation 11."""
    (block,) = ours.children()
    return mab(block, ours.S, functional.linear(x, ours.layer_weight, ours.layer_bias).relu())


def test_set_transformer() -> None:
    ours = loaded(ROOT / "sets/set_transformer.arch", width=12, heads=3, points=4, seeds=2)
    first, second, pool, sab = ours.children()
    x = drawn(3, 7, 3)
    wanted = []
    for one in x:
        h = functional.linear(one, ours.layer_weight, ours.layer_bias)
        h = pma(pool, isab(second, isab(first, h)))
        h = mab(sab.mab, h, h)
        wanted.append(functional.linear(h.flatten(), ours.y_weight.flatten(1), ours.y_bias))
    close(ours(x), torch.stack(wanted))


def test_set_transformer_does_not_see_the_order() -> None:
    ours = loaded(ROOT / "sets/set_transformer.arch", width=12, heads=3, points=4)
    x = drawn(3, 7, 3)
    for seed in range(5):
        close(ours(x[:, torch.randperm(7, generator=torch.Generator().manual_seed(seed))]), ours(x))
    assert (ours(x[:, :6]) - ours(x)).abs().max() > 1e-3
