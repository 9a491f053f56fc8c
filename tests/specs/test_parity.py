"""Each spec equals the same net written by hand, with the same parameters, in float64."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev
from scipy.interpolate import BSpline
from torch import Tensor, nn
from torch.nn import functional

import archc
from archc.run.load import instantiate, load_module
from tests.specs.conftest import ROOT


def loaded(source: str | Path, **hypers: int) -> nn.Module:
    """The module of a spec in float64, its parameters moved so that no zero or one hides a mistake."""
    module = instantiate(load_module(archc.build(source, **hypers)), {}, seed=0)
    module = module.double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return module


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def close(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)


def state(module: nn.Module) -> Mapping[str, Tensor]:
    return {name: parameter.detach() for name, parameter in module.named_parameters()}


def fill(module: nn.Module, weight: Tensor, bias: Tensor | None = None) -> None:
    """Give a module of torch the numbers of ours, whose axes it may have merged."""
    with torch.no_grad():
        module.weight.copy_(weight.detach().reshape(module.weight.shape))
        if bias is not None:
            module.bias.copy_(bias.detach().reshape(module.bias.shape))


def passes(module: nn.Module) -> list[nn.Module]:
    """The bodies of the only loop directly in a module."""
    (loop,) = (child for child in module.children() if isinstance(child, nn.ModuleList))
    return list(loop)


def dense(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A linear map from the last axis of a weight to the others."""
    linear = nn.Linear(weight.shape[-1], weight[..., 0].numel(), dtype=torch.float64)
    fill(linear, weight, bias)
    return linear


def perceptron(ours: nn.Module, last: str = "y") -> nn.Sequential:
    """`mlp` of the library, or the spec of that name, as torch's own modules."""
    parameters = state(ours)
    stages: list[nn.Module] = [dense(parameters["h_weight"], parameters["h_bias"]), nn.ReLU()]
    for body in passes(ours):
        stages += [dense(body.layer_weight, body.layer_bias), nn.ReLU()]
    return nn.Sequential(*stages, dense(parameters[f"{last}_weight"], parameters[f"{last}_bias"]))


@pytest.mark.parametrize("depth", [1, 3])
def test_mlp(depth: int) -> None:
    ours = loaded(ROOT / "basic/mlp.arch", width=16, depth=depth)
    x = drawn(5, 64)
    close(ours(x), perceptron(ours, "logits")(x))


def test_hyper_network() -> None:
    ours = loaded(ROOT / "basic/hyper.arch", width=6)
    first, second = (perceptron(child) for child in ours.children())
    task, x = drawn(3, 8), drawn(3, 7, 2, seed=1)
    w1, w2 = first(task).reshape(3, 2, 6), second(task).reshape(3, 6, 1)
    wanted = torch.stack([torch.sin(x[b] @ w1[b]) @ w2[b] for b in range(3)])
    close(ours(task, x), wanted)


def test_deeponet() -> None:
    ours = loaded(ROOT / "operators/deeponet.arch", width=8, latent=5)
    branch, trunk = (perceptron(child) for child in ours.children())
    u, y = drawn(3, 100), drawn(3, 4, 1, seed=1)
    close(ours(u, y), (branch(u)[:, None] * trunk(y)).sum(-1) + ours.b)


def cox_de_boor(x: np.ndarray, grid: int, order: int, low: float, high: float) -> np.ndarray:
    """Every B-spline of a uniform grid at every x, 0 outside its support: [..., grid + order]."""
    step = (high - low) / grid
    knots = low + step * np.arange(-order, grid + order + 1)
    splines = [BSpline.basis_element(knots[m : m + order + 2], extrapolate=False) for m in range(grid + order)]
    return np.stack([np.nan_to_num(spline(x)) for spline in splines], axis=-1)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(("grid", "low", "high"), [(5, -1.0, 1.0), (1, -1.0, 1.0), (4, -0.5, 2.0)])
def test_spline_layer_is_cox_de_boor(order: int, grid: int, low: float, high: float) -> None:
    ours = loaded(
        f"""net Spline (x: real[batch, d: 3]) -> (y: real[batch, d: 2]) {{
            let phi = spline(grid = {grid}, order = {order}, low = {low}, high = {high})
            return x |> layer(d -> d: 2, edge = phi, bias = none)
        }}"""
    )
    (coefficients,) = ours.parameters()
    margin = (order + 1) * (high - low) / grid
    x = np.random.default_rng(0).uniform(low - margin, high + margin, (200, 3))
    assert (x < low).any()
    assert (x > high).any()
    basis = cox_de_boor(x, grid, order, low, high)
    wanted = np.einsum("oim,bim->bo", coefficients.detach().numpy(), basis)
    close(ours(torch.from_numpy(x)), torch.from_numpy(wanted))


def test_kan() -> None:
    ours = loaded(ROOT / "kan/kan.arch", hidden=4, grid=6, order=3)
    x = 2 * drawn(50, 2)
    h = x.numpy()
    for name in ("layer", "y"):
        weight, coefficients = (state(ours)[f"{name}_{part}"].numpy() for part in ("weight", "coefficients"))
        basis = cox_de_boor(h, 6, 3, -1.0, 1.0)
        h = (h / (1 + np.exp(-h))) @ weight.T + np.einsum("oim,bim->bo", coefficients, basis)
    close(ours(x), torch.from_numpy(h))


def test_chebykan() -> None:
    ours = loaded(ROOT / "kan/chebykan.arch", hidden=4, degree=5)
    x = drawn(6, 64)
    h = x.numpy()
    for coefficients in ours.parameters():
        h = np.einsum("oim,bim->bo", coefficients.detach().numpy(), chebyshev.chebvander(np.tanh(h), 5))
    close(ours(x), torch.from_numpy(h))


def test_deepsets_does_not_see_the_order() -> None:
    ours = loaded(ROOT / "sets/deepsets.arch", width=8)
    inner, outer = (perceptron(child) for child in ours.children())
    x = drawn(3, 7, 3)
    close(ours(x), outer(inner(x).sum(1)))
    for seed in range(5):
        order = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
        close(ours(x[:, order]), ours(x))
    assert (ours(x[:, :6]) - ours(x)).abs().max() > 1e-3


BOTH = """
use "conv.arch"
net Both(width = 4) (x: real[batch, c: 3, h, w])
        -> (formula: real[batch, c: width, h, w], edge: real[batch, c: width, h, w])
{
    let K = conv(over = (h, w), size = 3, boundary = periodic)
    return x |> conv3(width = width), x |> layer(c -> c: width, edge = K, bias = none)
}
"""


def test_formula_convolution_is_the_conv_edge(tmp_path: Path) -> None:
    shutil.copy(ROOT / "vision/conv.arch", tmp_path)
    (tmp_path / "both.arch").write_text(BOTH, encoding="utf-8")
    ours = loaded(tmp_path / "both.arch")
    kernel, other = ours.parameters()
    other.data = kernel.data
    for grid in ((6, 5), (3, 3), (2, 7), (1, 1)):
        x = drawn(2, 3, *grid)
        formula, edge = ours(x)
        close(formula, edge)
        # torch wraps around once only
        h, w = (torch.arange(-1, size + 1) % size for size in grid)
        close(formula, functional.conv2d(x[:, :, h][:, :, :, w], kernel))
    x = drawn(2, 3, 6, 5)
    close(ours(x)[0], functional.conv2d(functional.pad(x, (1, 1, 1, 1), mode="circular"), kernel))


def test_convolutions_move_with_the_grid() -> None:
    ours = loaded(ROOT / "vision/conv.arch", width=4)
    x = drawn(2, 3, 6, 5)
    close(ours(x.roll((2, -1), (2, 3))), ours(x).roll((2, -1), (2, 3)))
    assert ours(x).std() > 0.1


class Level(nn.Module):
    """One level of a U-Net of the given depth below it."""

    def __init__(self, width: int, level: int) -> None:
        super().__init__()
        self.top = nn.Conv2d(width, width, 3, padding=1)
        if level:
            self.down = nn.Conv2d(width, 2 * width, 3, padding=1)
            self.inner = Level(2 * width, level - 1)
            self.up = nn.Conv2d(3 * width, width, 3, padding=1)
        self.level = level

    def forward(self, x: Tensor) -> Tensor:
        top = self.top(x).relu()
        if not self.level:
            return top
        below = self.inner(self.down(functional.max_pool2d(top, 2)))
        return self.up(torch.cat((top, functional.interpolate(below, scale_factor=2)), 1)).relu()

    def fill(self, ours: nn.Module) -> None:
        fill(self.top, ours.top_kernel, ours.top_bias)
        if self.level:
            fill(self.down, ours.layer_kernel, ours.layer_bias)
            fill(self.up, ours.y_kernel, ours.y_bias)
            self.inner.fill(ours.unet)


@pytest.mark.parametrize("levels", [0, 1, 3])
def test_unet(levels: int) -> None:
    ours = loaded(ROOT / "vision/unet.arch", width=3, levels=levels)
    first, last = nn.Conv2d(3, 3, 1).double(), nn.Conv2d(3, 1, 1).double()
    fill(first, ours.layer_weight, ours.layer_bias)
    fill(last, ours.y_weight, ours.y_bias)
    level = Level(3, levels).double()
    level.fill(ours.unet)
    x = drawn(2, 3, 8, 16)
    close(ours(x), last(level(first(x))))


def test_rgcn_is_a_loop_over_edges() -> None:
    ours = loaded(ROOT / "graphs/rgcn.arch", width=6, relations=3)
    n, e = 5, 14
    generator = np.random.default_rng(0)
    src, dst = (torch.from_numpy(generator.integers(0, n - 1, e)) for _ in range(2))  # the last node has no edge
    rel = torch.from_numpy(generator.integers(0, 3, e))
    x = drawn(n, 32)
    wanted = x @ ours.layer_weight.T + ours.layer_bias
    for edge in range(e):
        message = x[src[edge]] @ ours.W[rel[edge]]
        wanted = wanted + functional.one_hot(dst[edge], n)[:, None] * message
    close(ours(x, src, dst, rel), wanted.relu())
    order = torch.randperm(e, generator=torch.Generator().manual_seed(0))
    close(ours(x, src[order], dst[order], rel[order]), wanted.relu())
    nothing = torch.zeros(0, dtype=torch.int64)
    close(ours(x, nothing, nothing, nothing), (x @ ours.layer_weight.T + ours.layer_bias).relu())


def attend(ours: nn.Module, x: Tensor, memory: Tensor, causal: bool = False) -> Tensor:
    """An `attention` block of ours by torch's own attention."""
    parameters = state(ours)

    def heads(value: Tensor, name: str) -> Tensor:
        weight, bias = parameters[f"{name}_weight"], parameters[f"{name}_bias"]
        return (torch.einsum("hkd,bnd->bnhk", weight, value) + bias).transpose(1, 2)

    found = functional.scaled_dot_product_attention(
        heads(x, "q"), heads(memory, "key"), heads(memory, "val"), is_causal=causal
    )
    return torch.einsum("dhk,bhnk->bnd", parameters["y_weight"], found) + parameters["y_bias"]


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_torchs(causal: bool) -> None:
    ours = loaded(
        f"""use std.attention
        net Cross(width = 12, heads = 3) (x: real[batch, n, d: width], memory: real[batch, m, d: width])
                -> (y: real[batch, n, d: width])
        {{
            return attention(x, memory, heads = heads, causal = {str(causal).lower()})
        }}"""
    )
    (block,) = ours.children()
    for n, m in ((5, 7), (4, 4), (1, 3)):
        x, memory = drawn(2, n, 12), drawn(2, m, 12, seed=1)
        close(ours(x, memory), attend(block, x, memory, causal))


def encoder_layer(norm_first: bool, activation: str, width: int, heads: int, expand: int) -> nn.Module:
    return nn.TransformerEncoderLayer(
        width, heads, expand * width, 0.0, activation, batch_first=True, norm_first=norm_first, dtype=torch.float64
    )


def fill_encoder(theirs: nn.Module, ours: nn.Module) -> None:
    """Give torch's encoder layer the numbers of a block with `attention`, two `norm`s and two layers."""
    attention, (norm1, norm2) = state(ours.attention), (ours.norm, ours.norm_2)
    width = theirs.linear2.out_features
    with torch.no_grad():
        for number, name in enumerate(("q", "key", "val")):
            rows = slice(number * width, (number + 1) * width)
            theirs.self_attn.in_proj_weight[rows] = attention[f"{name}_weight"].reshape(width, width)
            theirs.self_attn.in_proj_bias[rows] = attention[f"{name}_bias"].reshape(width)
    fill(theirs.self_attn.out_proj, attention["y_weight"], attention["y_bias"])
    fill(theirs.norm1, norm1.gain, norm1.bias)
    fill(theirs.norm2, norm2.gain, norm2.bias)
    fill(theirs.linear1, ours.layer_weight, ours.layer_bias)
    fill(theirs.linear2, ours.layer_2_weight, ours.layer_2_bias)


def test_set_classifier_is_torchs_encoder() -> None:
    """Normalised first, a stack of layers, the mean over the set."""
    ours = loaded(ROOT / "attention/attention.arch", width=16, heads=4, depth=2)
    x = drawn(3, 5, 3)
    wanted = functional.linear(x, ours.h_weight, ours.h_bias)
    for body in passes(ours):
        theirs = encoder_layer(True, "gelu", 16, 4, 4)
        fill_encoder(theirs, body)
        wanted = theirs(wanted)
    wanted = functional.linear(wanted.mean(1), ours.logits_weight, ours.logits_bias)
    torch.testing.assert_close(ours(x), wanted, rtol=1e-6, atol=1e-6)


LAST = """
use std.attention
block last(heads: int = 4) (x: real[n, d]) -> (y: real[n, d])
    where size(d) % heads == 0
{
    let h = (x + attention(x, x[n: m], heads = heads)) |> norm(over = d)
    return (h + h |> layer(d -> d: 3 * size(d), neuron = relu) |> layer(d -> d: size(d))) |> norm(over = d)
}

net Last(width = 16) (x: real[batch, n, d: width]) -> (y: real[batch, n, d: width])
    where width % 4 == 0
{
    return x |> last(heads = 4)
}
"""


def test_encoder_normalised_last_is_torchs() -> None:
    """As in the paper of 2017, written from the library's attention."""
    ours = loaded(LAST)
    (block,) = ours.children()
    theirs = encoder_layer(False, "relu", 16, 4, 3)
    fill_encoder(theirs, block)
    x = drawn(3, 5, 16)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-6, atol=1e-6)
