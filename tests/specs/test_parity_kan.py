"""The KAN family equals the same nets written by hand, with the same parameters, in float64."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import archc
from tests.specs.conftest import ROOT
from tests.specs.test_parity import attend, close, cox_de_boor, drawn, fill, loaded, passes, state


def test_fourier_kan_is_a_sum_over_edges_and_frequencies() -> None:
    """y = sum_jm A cos(m x_j) + B sin(m x_j) + b, the A [out, in, m] and the B side by side."""
    ours = loaded(ROOT / "kan/fourier_kan.arch", hidden=4, frequencies=3)
    x = 3 * drawn(6, 2)
    h = x.numpy()
    for name in ("layer", "y"):
        coefficients, bias = (state(ours)[f"{name}_{part}"].numpy() for part in ("coefficients", "bias"))
        cosines, sines = np.split(coefficients, 2, axis=-1)
        angles = np.arange(1, 4) * h[..., None]
        h = np.einsum("oim,bim->bo", cosines, np.cos(angles)) + np.einsum("oim,bim->bo", sines, np.sin(angles)) + bias
    close(ours(x), torch.from_numpy(h))


class SplineLinear(nn.Module):
    """A KAN layer: the matrix of silu, and one of the splines of every input side by side."""

    def __init__(self, inputs: int, outputs: int, grid: int, order: int) -> None:
        super().__init__()
        self.grid, self.order = grid, order
        self.base = nn.Linear(inputs, outputs, bias=False, dtype=torch.float64)
        self.spline = nn.Linear(inputs * (grid + order), outputs, bias=False, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        splines = torch.from_numpy(cox_de_boor(x.detach().numpy(), self.grid, self.order, -1.0, 1.0))
        return self.base(functional.silu(x)) + self.spline(splines.flatten(1))


def test_digits_kan_is_two_layers_of_splines() -> None:
    ours = loaded(ROOT / "kan/digits_kan.arch", hidden=6, grid=4, order=3)
    theirs = nn.Sequential(SplineLinear(64, 6, 4, 3), SplineLinear(6, 10, 4, 3))
    for layer, name in zip(theirs, ("layer", "logits"), strict=True):
        fill(layer.base, state(ours)[f"{name}_weight"])
        fill(layer.spline, state(ours)[f"{name}_coefficients"])
    x = drawn(20, 64)
    close(ours(x), theirs(x))
    assert sum(one.numel() for one in ours.parameters()) == sum(one.numel() for one in theirs.parameters())


def test_fast_kan_normalises_only_what_the_bumps_see() -> None:
    ours = loaded(ROOT / "kan/fast_kan.arch", hidden=3, count=8)
    x = drawn(6, 2)
    h = x
    centres = torch.linspace(-2, 2, 8, dtype=torch.float64)
    for block in ours.children():
        own = state(block)
        norm = functional.layer_norm(h, h.shape[-1:], own["norm.gain"], own["norm.bias"])
        bumps = torch.exp(-(((norm[..., None] - centres) / (4 / 7)) ** 2))
        base = functional.linear(functional.silu(h), own["base_weight"], own["base_bias"])
        h = base + functional.linear(bumps.flatten(1), own["layer_coefficients"].flatten(1))
    close(ours(x), h)


def test_relu_kan_moves_its_phases_and_keeps_its_height() -> None:
    """As the reference's convolution over [in, bumps], whose kernel read as [out, in, bump] is the matrix."""
    grid, order = 5, 3
    ours = loaded(ROOT / "kan/relu_kan.arch", hidden=4, grid=grid, order=order)
    x = torch.from_numpy(np.random.default_rng(0).uniform(-0.5, 1.5, (9, 2)))
    start = torch.tensor([(m - order) / grid for m in range(grid + order)], dtype=torch.float64)
    r = 4 * grid**2 / (order + 1) ** 2
    h = x
    for block, name in zip(ours.children(), ("layer", "y"), strict=True):
        low, high = start + block.low, start + (order + 1) / grid + block.high
        bumps = (r * (high - h[..., None]).relu() * (h[..., None] - low).relu()).square()
        h = functional.linear(bumps.flatten(1), state(ours)[f"{name}_weight"].flatten(1), state(ours)[f"{name}_bias"])
    close(ours(x), h)


def test_relu_kan_starts_with_bumps_of_height_one() -> None:
    module = archc.load(ROOT / "kan/relu_kan.arch", grid=5, order=3)
    middles = (torch.arange(8) - 1) / 5
    bumps = next(module.children())(middles[:, None].expand(8, 2))
    torch.testing.assert_close(bumps[:, 0].diag(), torch.ones(8))


def test_trukan_is_polynomials_and_truncated_powers() -> None:
    ours = loaded(ROOT / "kan/trukan.arch", hidden=4, grid=4, order=3)
    x = 2 * drawn(6, 2)

    def layer(h: Tensor, name: str) -> Tensor:
        powers = [h**p for p in range(4)] + [(h - knot).clamp(min=0) ** 3 for knot in (-0.5, 0.0, 0.5)]
        coefficients, bias = (state(ours)[f"{name}_{part}"] for part in ("coefficients", "bias"))
        return torch.einsum("oim,bim->bo", coefficients, torch.stack(powers, -1)) + bias

    (norm,) = ours.children()
    close(ours(x), layer(functional.layer_norm(layer(x, "layer"), (4,), norm.gain, norm.bias), "y"))


def test_kan_convolution_is_a_function_on_every_tap() -> None:
    """And a layer is one convolution whose channels are the basis of each channel."""
    ours = loaded(ROOT / "kan/kan_conv.arch", width=2, grid=4, order=2)
    x = drawn(3, 1, 6, 5)
    h = x
    for name in ("layer_kernel", "layer_2_kernel"):
        kernel = state(ours)[name]
        basis = torch.from_numpy(cox_de_boor(h.numpy(), 4, 2, -1.0, 1.0))
        padded = functional.pad(torch.cat([functional.silu(h)[..., None], basis], -1), (0, 0, 1, 1, 1, 1))
        taps = [[padded[:, :, p : p + 6, q : q + 5] for q in range(3)] for p in range(3)]
        h = sum(torch.einsum("bchwm,ocm->bohw", taps[p][q], kernel[..., p, q]) for p in range(3) for q in range(3))
    close(ours(x), functional.linear(h.mean((2, 3)), ours.logits_weight, ours.logits_bias))
    text = archc.build(ROOT / "kan/kan_conv.arch")
    assert text.count("conv2d(") == 2
    assert "einsum" not in text


def rational(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """P / (1 + sum_n |b_n| |x|^n), the coefficients along the last axis, one row for each run of channels."""
    a, b = (part.repeat_interleave(x.shape[-1] // len(part), 0) for part in (a, b))
    above = sum(a[:, p] * x**p for p in range(6))
    return above / (1 + sum(b[:, n].abs() * x.abs() ** (n + 1) for n in range(4)))


def test_kat() -> None:
    """x + attention(norm(x)), then x + fc2(act2(fc1(act1(norm(x))))), the activations rational in groups."""
    ours = loaded(ROOT / "kan/kat.arch", width=16, depth=2, heads=2, groups=8, patches=5)
    x = drawn(3, 5, 768)
    h = functional.linear(x, ours.start_weight, ours.start_bias) + ours.place
    for body in passes(ours):
        z = functional.layer_norm(h, (16,), body.norm.gain, body.norm.bias)
        h = h + attend(body.attention, z, z)
        z = functional.layer_norm(h, (16,), body.norm_2.gain, body.norm_2.bias)
        own = state(body.gr_kan)
        for name in ("layer", "y"):
            z = rational(z, own[f"{name}_a"], own[f"{name}_b"]) @ own[f"{name}_weight"].T + own[f"{name}_bias"]
        h = h + z
    h = functional.layer_norm(h.mean(1), (16,), ours.norm_4.gain, ours.norm_4.bias)
    close(ours(x), functional.linear(h, ours.logits_weight, ours.logits_bias))


def test_gr_kan_starts_with_the_variance_that_it_is_given() -> None:
    """Up to the draw of one matrix; with gain 1 it would be 0.36 after swish."""
    torch.manual_seed(0)
    module = archc.load(ROOT / "kan/kat.arch", width=512, depth=1, heads=1, patches=1)
    (body,) = passes(module)
    x = drawn(400, 512).float()
    with torch.no_grad():
        assert abs(body.gr_kan(x).var().item() - 1) < 0.2
        assert abs(state(body.gr_kan)["y_weight"].var().item() - 2.8178 / 2048) < 0.01 * 2.8178 / 2048
