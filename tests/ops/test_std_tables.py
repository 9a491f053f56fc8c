"""The library's grouped norms and its embedding against torch's."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from archc.driver import check
from tests.ops.test_std import agrees, close, drawn, loaded

GROUPS = """net N(x: real[batch, c: 6, h, w]) -> (y: real[batch, c: 6, h, w]) {{
    return x |> group_norm(channel = c, over = (h, w), groups = {})
}}"""
INSTANCES = """net N(x: real[batch, c: 6, t]) -> (y: real[batch, c: 6, t]) {
    return x |> instance_norm(channel = c, over = t, eps = 0.01)
}"""
WORDS = """use std.embedding
net N(word: index(7)[batch, t]) -> (y: real[batch, t, d: 4]) { return word |> embedding(() -> d: 4, count = 7) }"""


def moved(module: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """The gain and the bias, where neither is one or zero."""
    state = dict(module.named_parameters())
    for number, name in enumerate(sorted(state)):
        state[name].data = drawn(*state[name].shape, seed=number)
    (gain,) = (value for name, value in state.items() if name.endswith("gain"))
    (bias,) = (value for name, value in state.items() if name.endswith("bias"))
    return gain, bias


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm_is_torchs(groups: int) -> None:
    module, x = loaded(GROUPS.format(groups)), drawn(3, 6, 5, 4)
    gain, bias = moved(module)
    close(module(x), functional.group_norm(x, groups, gain, bias))


def test_instance_norm_is_torchs() -> None:
    module, x = loaded(INSTANCES), drawn(3, 6, 5)
    gain, bias = moved(module)
    close(module(x), functional.instance_norm(x, weight=gain, bias=bias, eps=0.01))


def test_embedding_is_torchs() -> None:
    module = loaded(WORDS)
    (table,) = module.parameters()
    word = torch.arange(21).view(3, 7) % 7
    close(module(word), functional.embedding(word, table))
    assert table.shape == (7, 4)
    assert 0.4 < table.std() < 1.6


@pytest.mark.parametrize("spec", [GROUPS.format(2), INSTANCES, WORDS], ids=["groups", "instances", "words"])
def test_block_computes_its_formula(spec: str) -> None:
    agrees(spec)


def test_groups_divide_the_channels() -> None:
    assert [one.code for one in check(GROUPS.format(4))] == ["E0321"]
