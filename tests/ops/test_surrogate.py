"""Declared gradients: against torch's own, and against finite differences that know what stands still."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from archc.base.assets import specs_root
from archc.driver import build, graph
from archc.readings.held import Held
from archc.readings.values import reference
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

X = torch.tensor(np.random.default_rng(5).uniform(-2, 2, (4, 6)))


TEXT = (specs_root() / "std" / "surrogate.arch").read_text(encoding="utf-8")
LIBRARY = re.findall(r"^block (\w+)", TEXT, re.MULTILINE)


def spec(call: str) -> str:
    text = "".join(f"use std.surrogate.{one}\n" for one in LIBRARY if one in call)
    return f"{text}net N (x: real[b, d]) -> (y: real[b, d]) {{ return {call} }}"


def module(text: str) -> nn.Module:
    return instantiate(load_module(build(text), "N"), {}, dtype=torch.float64)


def value_and_gradient(text: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """The output and the gradient of its sum."""
    leaf = x.clone().requires_grad_()
    y = module(text)(leaf)
    (gradient,) = torch.autograd.grad(y.sum(), leaf)
    return y.detach(), gradient


SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "fast_sigmoid_slope": lambda u: (1 + u.abs()) ** -2,
    "sigmoid_slope": lambda u: torch.exp(-u) / (1 + torch.exp(-u)) ** 2,
    "triangle_slope": lambda u: torch.clamp(1 - u.abs(), min=0),
    "arctan_slope": lambda u: 0.5 / (1 + (math.pi / 2 * u) ** 2),
}


@pytest.mark.parametrize("slope", SLOPES)
def test_a_spike_is_a_step_with_the_slope_of_its_surrogate(slope: str) -> None:
    y, gradient = value_and_gradient(spec(f"spike(x, slope = {slope}, beta = 3.0)"), X)
    torch.testing.assert_close(y, (X > 0).double(), rtol=0, atol=0)
    torch.testing.assert_close(gradient, SLOPES[slope](3 * X), rtol=1e-12, atol=1e-14)


def test_a_slope_of_ones_own_may_be_a_function() -> None:
    _, gradient = value_and_gradient(spec("spike(x, slope = gaussian, beta = 1.0)"), X)
    torch.testing.assert_close(gradient, torch.exp(-(X**2)), rtol=1e-12, atol=1e-14)


def test_rounding_passes_the_gradient_on() -> None:
    y, gradient = value_and_gradient(spec("round_ste(x)"), X)
    torch.testing.assert_close(y, X.round(), rtol=0, atol=0)
    assert (gradient == 1).all()


def test_a_sign_passes_the_gradient_between_minus_one_and_one() -> None:
    y, gradient = value_and_gradient(spec("sign_ste(x)"), X)
    torch.testing.assert_close(y, torch.where(X >= 0, 1.0, -1.0).double(), rtol=0, atol=0)
    torch.testing.assert_close(gradient, (X.abs() <= 1).double(), rtol=0, atol=0)


def test_a_hard_softmax_is_one_hot_with_the_gradient_of_the_softmax() -> None:
    leaf = X.clone().requires_grad_()
    y = module(spec("hard_softmax(x, over = d)"))(leaf)
    torch.testing.assert_close(y, nn.functional.one_hot(X.argmax(-1), 6).double(), rtol=0, atol=0)
    weights = torch.tensor(np.random.default_rng(6).standard_normal((4, 6)))
    soft = X.clone().requires_grad_()
    torch.testing.assert_close(
        torch.autograd.grad((y * weights).sum(), leaf)[0],
        torch.autograd.grad((soft.softmax(-1) * weights).sum(), soft)[0],
        rtol=1e-12,
        atol=1e-14,
    )


def test_of_several_largest_the_first_counts() -> None:
    y = module(spec("hard_softmax(x, over = d)"))(torch.tensor([[1.0, 2.0, 2.0]], dtype=torch.float64))
    assert y.tolist() == [[0, 1, 0]]


LOOP = "repeat 3 shared with x { let y = layer(x, d -> d) return stop_gradient(tanh(y)) * y + x }"


@pytest.mark.parametrize("call", ["x * stop_gradient(square(x))", LOOP, "spike(x)", "hard_softmax(x, over = d)"])
def test_a_declared_gradient_agrees_with_the_reference(call: str) -> None:
    text = spec(call)
    report = verify(graph(text), build(text), regimes=("primes", "ones"))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


def test_a_gradient_that_does_not_stop_is_found() -> None:
    text = spec("stop_gradient(square(x)) * x")
    code = build(text)
    assert ".detach()" in code
    assert verify(graph(text), code, regimes=("primes",)).ok
    assert not verify(graph(text), code.replace(".detach()", ""), regimes=("primes",)).ok


def test_what_is_held_stays_as_it_was_at_first() -> None:
    net, held, x = graph(spec("stop_gradient(square(x)) * x")), Held(), X.numpy()
    first = reference(net)({"x": x}, {}, held=held)["y"]
    np.testing.assert_allclose(first, x**3)
    again = reference(net)({"x": 2 * x}, {}, held=held)["y"]
    np.testing.assert_allclose(again, 2 * x**3)
    np.testing.assert_allclose(reference(net)({"x": 2 * x}, {})["y"], 8 * x**3)
