"""The Transformers of specs/attention written out, with the same parameters, in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.specs.conftest import ROOT
from tests.specs.test_parity import attend, close, drawn, loaded, passes


def dense(ours: nn.Module, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, getattr(ours, f"{name}_weight"), getattr(ours, f"{name}_bias"))


def norm(ours: nn.Module, x: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], ours.gain, ours.bias)


def waves(length: int, width: int, step: int) -> Tensor:
    """Equations 6 and 7 of the Universal Transformer, entry by entry."""
    found = torch.zeros(length, width, dtype=torch.float64)
    for i in range(length):
        for j in range(width // 2):
            rate = 10000 ** (2 * j / width)
            found[i, 2 * j] = math.sin(i / rate) + math.sin(step / rate)
            found[i, 2 * j + 1] = math.cos(i / rate) + math.cos(step / rate)
    return found


def test_universal_transformer() -> None:
    ours = loaded(ROOT / "attention/universal_transformer.arch", width=8, heads=2, depth=3, expand=2)
    body = ours.h_pass
    x = drawn(2, 5, 16)
    h = dense(ours, "h", x)
    for step in (1, 2, 3):
        h = h + waves(5, 8, step)
        a = norm(body.norm, h + attend(body.attention, h, h))
        h = norm(body.norm_2, a + dense(body, "z", dense(body, "layer", a).relu()))
    close(ours(x), dense(ours, "y", h))


def test_universal_transformer_has_as_many_parameters_at_every_depth() -> None:
    counts = set()
    for depth in (1, 3, 12):
        ours = loaded(ROOT / "attention/universal_transformer.arch", depth=depth)
        counts.add(sum(parameter.numel() for parameter in ours.parameters()))
    assert len(counts) == 1


@pytest.mark.parametrize(("length", "stride"), [(9, 3), (7, 1), (4, 8)])
def test_sparse_transformer(length: int, stride: int) -> None:
    ours = loaded(ROOT / "attention/sparse_transformer.arch", width=8, heads=2, depth=2, stride=stride)
    allowed = torch.zeros(length, length, dtype=torch.bool)
    for n in range(length):
        near = set(range(max(n - stride, 0), n + 1))
        far = {m for m in range(n + 1) if (n - m) % stride == 0}
        allowed[n, list(near | far)] = True
    x = drawn(2, length, 16)
    h = dense(ours, "h", x)
    for body in passes(ours):
        attention, first, second = body.strided_attention, *(c for c in body.children() if hasattr(c, "gain"))
        z = norm(first, h)
        q, key, val = (
            torch.einsum("hkd,bnd->bhnk", getattr(attention, f"{name}_weight"), z)
            + getattr(attention, f"{name}_bias")[:, None]
            for name in ("q", "key", "val")
        )
        found = functional.scaled_dot_product_attention(q, key, val, attn_mask=allowed)
        h = h + torch.einsum("dhk,bhnk->bnd", attention.y_weight, found) + attention.y_bias
        h = h + dense(body, "layer_2", functional.gelu(dense(body, "layer", norm(second, h))))
    (last,) = (child for child in ours.children() if hasattr(child, "gain"))
    close(ours(x), dense(ours, "y", norm(last, h)))


@pytest.mark.parametrize("keep", [1, 2])
def test_switch_transformer_is_a_loop_over_tokens(keep: int) -> None:
    ours = loaded(ROOT / "attention/switch.arch", width=8, heads=2, depth=2, count=3, keep=keep)
    x = drawn(2, 5, 16)
    h, balances = dense(ours, "h", x), []
    for body in passes(ours):
        first, second = (child for child in body.children() if hasattr(child, "gain"))
        z = norm(first, h)
        h = h + attend(body.attention, z, z)
        z, y, experts = norm(second, h), torch.zeros_like(h), body.experts
        share, mean_gate = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        for batch in range(2):
            for n in range(5):
                gate = torch.softmax(experts.layer_weight @ z[batch, n], 0).detach()
                best = gate.topk(keep).indices
                for expert in best:
                    hidden = (experts.W1[expert] @ z[batch, n]).relu()
                    y[batch, n] += (gate[expert] * (experts.W2[expert] @ hidden)).detach()
                    share[expert] += 1 / (10 * keep)
                mean_gate += gate / 10
        h = h + y
        balances.append(3 * (share @ mean_gate))
    (last,) = (child for child in ours.children() if hasattr(child, "gain"))
    found, balance = ours(x)
    close(found, dense(ours, "y", norm(last, h)))
    close(balance, torch.stack(balances).mean())


def test_switch_keeping_all_experts_is_the_dense_mixture() -> None:
    """The load is even by definition, and no choice is made: the net has a derivative everywhere."""
    ours = loaded(ROOT / "attention/switch.arch", width=8, heads=2, depth=1, count=3, keep=3)
    x = drawn(2, 5, 16).requires_grad_()
    _, balance = ours(x)
    close(balance, torch.tensor(1.0, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda value: ours(value)[0], (x,))


def test_switch_teaches_its_router() -> None:
    """A single gate divided by itself would be 1 whatever the router says."""
    ours = loaded(ROOT / "attention/switch.arch", width=8, heads=2, depth=1, count=3, keep=1)
    (body,) = passes(ours)
    found, _ = ours(drawn(2, 5, 16))
    found.square().sum().backward()
    assert body.experts.layer_weight.grad.abs().max() > 1e-3


def test_set_pointer_points_at_the_same_points_in_any_order() -> None:
    ours = loaded(ROOT / "pointer/set_pointer.arch", width=8, heads=2, depth=2)
    points = drawn(2, 6, 2)
    p = ours(points)
    close(p.sum(-1), torch.ones(2, 6, dtype=torch.float64))
    order = torch.tensor([5, 2, 0, 3, 1, 4])
    close(ours(points[:, order]), p[:, order][:, :, order])
    assert p.std() > 1e-3


def test_switch_transformer_moves_with_the_order() -> None:
    ours = loaded(ROOT / "attention/switch.arch", width=8, heads=2, depth=2, count=3, keep=1)
    x, order = drawn(2, 6, 16), torch.tensor([5, 2, 0, 3, 1, 4])
    (y, balance), (moved, same) = ours(x), ours(x[:, order])
    close(moved, y[:, order])
    close(same, balance)
