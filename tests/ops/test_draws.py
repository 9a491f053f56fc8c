"""What is random: the formula in evaluation, the distribution in training."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from archc.driver import build
from archc.run.load import instantiate, load_module

COUNT = 40_000


def module(call: str) -> nn.Module:
    spec = f"net N (x: real[b, d]) -> (y: real[b, d]) {{ return {call} }}"
    return instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64)


def drawn(call: str, x: Tensor, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    found: Tensor = module(call).train()(x)
    return found


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    x = torch.full((4, COUNT), 3.0, dtype=torch.float64)
    y = drawn("dropout(x, rate = 0.3)", x)
    torch.testing.assert_close(y[y != 0].unique(), torch.tensor([3 / 0.7], dtype=torch.float64))
    assert ((y == 0).double().mean(1) - 0.3).abs().max() < 0.01
    assert (y.mean(1) - 3).abs().max() < 0.05


@pytest.mark.parametrize("call", ["dropout(x)", "normal_draw(x)", "uniform_draw(x)", "bernoulli_draw(x)"])
def test_a_seed_brings_the_same_numbers_back_and_evaluation_has_none(call: str) -> None:
    x = torch.full((8, 8), 0.5, dtype=torch.float64)
    assert torch.equal(drawn(call, x, 1), drawn(call, x, 1))
    assert not torch.equal(drawn(call, x, 1), drawn(call, x, 2))
    still = module(call).eval()
    assert torch.equal(still(x), still(x))
    mean = {"normal_draw(x)": 0.0}.get(call, 0.5)
    torch.testing.assert_close(still(x), torch.full_like(x, mean))


def test_what_dropout_multiplies_with_is_1_in_evaluation() -> None:
    x = torch.full((4, COUNT), 3.0, dtype=torch.float64)
    y = drawn("dropout_mask(x, rate = 0.3)", x)
    torch.testing.assert_close(y[y != 0].unique(), torch.tensor([1 / 0.7], dtype=torch.float64))
    assert ((y == 0).double().mean(1) - 0.3).abs().max() < 0.01
    assert torch.equal(module("dropout_mask(x)").eval()(x), torch.ones_like(x))


def test_normal_numbers_have_mean_0_and_deviation_1() -> None:
    y = drawn("normal_draw(x)", torch.ones(4, COUNT, dtype=torch.float64))
    assert y.mean(1).abs().max() < 0.02
    assert (y.std(1) - 1).abs().max() < 0.02
    assert (y.abs() < 1).double().mean().sub(0.6827).abs() < 0.005


def test_uniform_numbers_fill_the_unit_interval() -> None:
    y = drawn("uniform_draw(x)", torch.ones(4, COUNT, dtype=torch.float64))
    assert y.min() >= 0
    assert y.max() < 1
    shares = torch.histc(y, bins=10, min=0, max=1) / y.numel()
    assert (shares - 0.1).abs().max() < 0.005


def test_zeros_and_ones_come_with_their_probability_and_its_gradient() -> None:
    p = torch.linspace(0, 1, 5, dtype=torch.float64).unsqueeze(1).repeat(1, COUNT).requires_grad_()
    y = drawn("bernoulli_draw(x)", p)
    assert set(y.detach().unique().tolist()) == {0.0, 1.0}
    assert (y.mean(1) - p.mean(1)).abs().max() < 0.01
    (gradient,) = torch.autograd.grad(y.sum(), p)
    assert (gradient == 1).all()


def test_a_draw_moved_by_its_mean_and_deviation_has_their_gradient() -> None:
    x = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    y = drawn("x + exp(x) * normal_draw(x)", x, 3)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient, 1 + y.detach())


def test_two_draws_of_the_same_are_two() -> None:
    y = drawn("dropout(x) - dropout(x)", torch.ones(8, 8, dtype=torch.float64))
    assert y.abs().max() > 0


@pytest.mark.parametrize("mode", [True, False])
def test_draws_compile_whole(mode: bool) -> None:
    found = module("dropout(x) + normal_draw(x) * uniform_draw(x) + bernoulli_draw(sigmoid(x))").train(mode)
    x = torch.ones(4, 6, dtype=torch.float64)
    compiled = torch.compile(found, fullgraph=True, backend="aot_eager")
    assert compiled(x).shape == (4, 6)
    if not mode:
        torch.testing.assert_close(compiled(x), found(x))
