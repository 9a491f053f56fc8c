"""Runge-Kutta, RealNVP, ANIE, MIP and a deep equilibrium written out, with the same parameters, in float64."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap
from torch.nn import functional

from tests.specs.conftest import ROOT
from tests.specs.test_parity import close, drawn, loaded, passes, perceptron


def dense(ours: nn.Module, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, getattr(ours, f"{name}_weight"), getattr(ours, f"{name}_bias"))


def slope(ours: nn.Module, z: Tensor, t: float) -> Tensor:
    return dense(ours, "y", torch.tanh(dense(ours, "layer", z) + t * ours.clock))


@pytest.mark.parametrize("steps", [1, 4])
def test_rk4_is_kuttas_method(steps: int) -> None:
    ours = loaded(ROOT / "implicit/rk4.arch", width=5, hidden=6, steps=steps)
    (f,) = {id(module): module for module in ours.modules() if hasattr(module, "clock")}.values()
    x, dt = drawn(3, 8), 1 / steps
    z = dense(ours, "z", x)
    for step in range(steps):
        t = step * dt
        k1 = slope(f, z, t)
        k2 = slope(f, z + dt / 2 * k1, t + dt / 2)
        k3 = slope(f, z + dt / 2 * k2, t + dt / 2)
        k4 = slope(f, z + dt * k3, t + dt)
        z = z + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    close(ours(x), dense(ours, "y", z))


def test_rk4_converges_with_the_fourth_power_of_the_step() -> None:
    x, found = drawn(3, 8), {}
    for steps in (4, 8, 64):
        ours = loaded(ROOT / "implicit/rk4.arch", width=5, hidden=6, steps=steps)
        found[steps] = ours(x).detach()
    errors = [(found[steps] - found[64]).abs().max() for steps in (4, 8)]
    assert 3.5 < math.log2(errors[0] / errors[1]) < 4.5


def coupled(ours: nn.Module, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Equation 8, its scale held between -2 and 2."""
    scale, move = (perceptron(child) for child in ours.children())
    s = 2.0 * torch.tanh(scale(a))
    return b * torch.exp(s) + move(a), s.sum(-1)


@pytest.mark.parametrize("depth", [1, 3])
def test_realnvp_is_a_chain_of_couplings(depth: int) -> None:
    ours = loaded(ROOT / "implicit/realnvp.arch", features=6, depth=depth, width=7)
    x = drawn(4, 6)
    a, b = x.chunk(2, 1)
    logdet = torch.zeros(4, dtype=torch.float64)
    for body in passes(ours):
        first, second = body.children()
        b, one = coupled(first, a, b)
        a, two = coupled(second, b, a)
        logdet = logdet + one + two
    found = ours(x)
    close(found.z, torch.cat((a, b), 1))
    close(found.logdet, logdet)


def test_realnvp_log_determinant_is_that_of_its_jacobian() -> None:
    ours = loaded(ROOT / "implicit/realnvp.arch", features=6, depth=3, width=7)
    x = drawn(5, 6)
    jacobians = vmap(jacrev(lambda one: ours(one[None]).z[0]))(x)
    sign, logabsdet = torch.linalg.slogdet(jacobians)
    assert (sign > 0).all()
    torch.testing.assert_close(ours(x).logdet, logabsdet, rtol=1e-12, atol=1e-12)


def integral(ours: nn.Module, y: Tensor, t: Tensor, heads: int) -> Tensor:
    """Attention over all points, equation 5: its weights add to 1, as those of a quadrature do."""
    body = ours.y_step.integral
    h = dense(body, "layer", y) + functional.linear(t, body.layer_2_weight)
    query, key, val = (
        functional.linear(h, getattr(body, f"{name}_weight").flatten(0, 1), getattr(body, f"{name}_bias").flatten())
        .unflatten(-1, (heads, -1))
        .transpose(1, 2)
        for name in ("q", "key", "val")
    )
    found = functional.scaled_dot_product_attention(query, key, val).transpose(1, 2)
    return functional.linear(found.flatten(-2), body.z_weight.flatten(1), body.z_bias)


def test_anie_solves_its_integral_equation() -> None:
    text = (ROOT / "implicit/anie.arch").read_text().replace("1e-6", "1e-13").replace("limit = 40", "limit = 200")
    ours = loaded(text, width=6, heads=2)
    t, f = drawn(3, 7, 2), drawn(3, 7, 1, seed=1)
    y = free = dense(ours, "free", f)
    for _ in range(200):
        y = free + integral(ours, y, t, heads=2)
    torch.testing.assert_close(y, free + integral(ours, y, t, heads=2), rtol=1e-12, atol=1e-12)
    wanted = dense(ours, "y", y)
    close(ours(t, f), wanted)
    weights = list(ours.parameters())
    pairs = (torch.autograd.grad(found.square().sum(), weights) for found in (ours(t, f), wanted))
    for one, other in zip(*pairs, strict=True):
        close(one, other)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    close(ours(t[:, order], f[:, order]), wanted[:, order])


def test_mip_adds_a_linear_function_of_its_code_to_learned_weights() -> None:
    ours = loaded(ROOT / "basic/mip.arch", width=4, code=5)
    _, first, second = ours.children()
    g, x = torch.rand(3, 2, dtype=torch.float64), drawn(3, 6, 8)
    wanted = []
    for inputs, points in zip(g, x, strict=True):
        magnitudes = torch.cat((torch.cos(math.pi / 2 * inputs), torch.sin(math.pi / 2 * inputs)))
        e = functional.linear(magnitudes, ours.layer_weight.flatten(1), ours.layer_bias)
        e = functional.leaky_relu(dense(ours, "e", functional.leaky_relu(e)))
        h = points
        for number, layer in enumerate((first, second)):
            h = h @ (layer.weight + layer.layer_weight @ e).T + layer.bias + layer.layer_2_weight @ e
            h = h.relu() if number == 0 else h
        wanted.append(h)
    close(ours(g, x), torch.stack(wanted))
    order = torch.tensor([5, 2, 0, 3, 1, 4])
    close(ours(g, x[:, order]), ours(g, x)[:, order])


def equilibrium(weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Where the layer stops changing its input, by doing it often."""
    z = torch.zeros(len(x), len(weights["drive_bias"]), dtype=x.dtype)
    for _ in range(500):
        z = once(weights, x, z)
    return z


def once(weights: Mapping[str, Tensor], x: Tensor, z: Tensor) -> Tensor:
    drive = functional.linear(x, weights["drive_weight"], weights["drive_bias"])
    return torch.tanh(functional.linear(z, weights["z_step.layer_weight"]) + drive)


def contraction(path: Path) -> tuple[nn.Module, dict[str, Tensor]]:
    """A spec of an equilibrium that is there, found to rounding; and its parameters."""
    text = path.read_text(encoding="utf-8")
    ours = loaded(text.replace("tolerance = 1e-5", "tolerance = 1e-13, gradient_tolerance = 1e-13"), width=6)
    weights = dict(ours.named_parameters())
    with torch.no_grad():
        weights["z_step.layer_weight"] *= 0.8 / torch.linalg.matrix_norm(weights["z_step.layer_weight"], 2)
    return ours, weights


def slopes(y: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(y.square().sum(), list(weights.values()))


def test_deq_is_where_its_layer_stops() -> None:
    """Its gradient is that of all the steps that lead there."""
    (ours, weights), x = contraction(ROOT / "implicit/deq.arch"), drawn(3, 16)
    found, wanted = ours(x), functional.linear(equilibrium(weights, x), weights["y_weight"], weights["y_bias"])
    close(found, wanted)
    for ours_has, hand_has in zip(slopes(found, weights), slopes(wanted, weights), strict=True):
        close(ours_has, hand_has)


def test_deq_has_the_gradient_of_one_step_when_exported() -> None:
    (ours, weights), x = contraction(ROOT / "implicit/deq.arch"), drawn(3, 16)
    exported = torch.export.export(ours, (x,)).module()
    z = once(weights, x, equilibrium(weights, x).detach())
    wanted = slopes(functional.linear(z, weights["y_weight"], weights["y_bias"]), weights)
    own = dict(exported.named_parameters())
    for ours_has, hand_has in zip(slopes(exported(x), {name: own[name] for name in weights}), wanted, strict=True):
        close(ours_has, hand_has)
