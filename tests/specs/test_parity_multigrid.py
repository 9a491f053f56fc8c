"""The multigrid V-cycle and MgNO against the same written by hand, with the same weights, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import archc
from archc.run.load import instantiate, load_module
from archc.run.verify import verify
from tests.specs.conftest import ROOT

MODES = {"dirichlet": "constant", "neumann": "reflect", "periodic": "circular"}


@dataclass
class Written:
    """A V-cycle written out: its kernels are those of a generated one, taken in the order in which they act."""

    boundary: str = "dirichlet"
    post: int = 0
    residual: bool = False

    def beyond(self, x: Tensor) -> Tensor:
        return functional.pad(x, (1, 1, 1, 1), mode=MODES[self.boundary])

    def conv(self, x: Tensor, kernel: Tensor, stride: int = 1) -> Tensor:
        return functional.conv2d(self.beyond(x), kernel, stride=stride)

    def up(self, x: Tensor, kernel: Tensor) -> Tensor:
        return functional.conv_transpose2d(self.beyond(x), kernel.transpose(0, 1), stride=2, padding=3)

    def smooth(self, block: nn.Module, u: Tensor, f: Tensor) -> Tensor:
        kernels = list(block.parameters())
        for a, s in zip(kernels[::2], kernels[1::2], strict=True):
            u = u + self.conv(f - self.conv(u, a), s)
        return u

    def cycle(self, block: nn.Module, u: Tensor, f: Tensor) -> Tensor:
        smooth, *coarse = block.children()
        u = self.smooth(smooth, u, f)
        if not coarse:
            return u
        own = list(block.parameters(recurse=False))
        rest = f - self.conv(u, own.pop(0)) if self.residual else f
        pi, r, rt = own
        u = u + self.up(self.cycle(coarse[0], self.conv(u, pi, stride=2), self.conv(rest, r, stride=2)), rt)
        return self.smooth(coarse[1], u, f) if self.post else u

    def multigrid(self, block: nn.Module, f: Tensor) -> Tensor:
        (s,) = block.parameters(recurse=False)
        (cycle,) = block.children()
        return self.cycle(cycle, self.conv(f, s), f)


def loaded(source: str, word: str, **hypers: int) -> nn.Module:
    return instantiate(load_module(archc.build(source, **hypers), word), {}, dtype=torch.float64)


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def equal(net: nn.Module, found: Tensor, wanted: Tensor) -> None:
    """The same values, and the same gradient in every parameter."""
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    weight = drawn(*found.shape)
    gradients = [
        torch.autograd.grad((one * weight).sum(), list(net.parameters()), retain_graph=True) for one in (found, wanted)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


SPEC = """net N (f: real[batch, c: 2, h, w]) -> (u: real[batch, c: 3, h, w])
    where h % 4 == 0, w % 4 == 0
{{
    return f |> layer(c -> c: 3, bias = none, edge = multigrid(over = (h, w), levels = 3{}))
}}"""
OPTIONS = {
    "released": "",
    "two steps": ", smoothing = 2, coarsest = 3",
    "there and back": ", post = 2, residual = true",
    "neumann": ", boundary = neumann, residual = true",
    "periodic": ", boundary = periodic, post = 1",
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_v_cycle(kind: str) -> None:
    text = SPEC.format(OPTIONS[kind])
    net, f = loaded(text, "N"), drawn(2, 2, 8, 12)
    boundary = kind if kind in MODES else "dirichlet"
    post = {"there and back": 2, "periodic": 1}.get(kind, 0)
    written = Written(boundary, post, "residual" in text)
    (block,) = net.children()
    equal(net, net(f), written.multigrid(block, f))


@pytest.mark.parametrize("kind", OPTIONS)
def test_v_cycle_is_its_meaning(kind: str) -> None:
    text = SPEC.format(OPTIONS[kind])
    report = verify(archc.graph(text), archc.build(text), regimes=("primes", "ones"))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


def test_periodic_v_cycle_moves_with_its_input() -> None:
    """By whole cells of the coarsest grid."""
    net, f = loaded(SPEC.format(OPTIONS["periodic"]), "N"), drawn(1, 2, 8, 12)
    torch.testing.assert_close(net(f.roll((4, -8), (2, 3))), net(f).roll((4, -8), (2, 3)), rtol=1e-12, atol=1e-12)


def test_channels_are_counted_as_published() -> None:
    """c^2 (9 + 52 (levels - 1)) and 18 c^2 for every further step; the dead A of the first step is not built."""
    for levels, coarsest in ((2, 1), (4, 1), (4, 3)):
        text = f"""net N (f: real[batch, c: 5, h, w]) -> (u: real[batch, c: 5, h, w])
            where h % 2^{levels - 1} == 0, w % 2^{levels - 1} == 0
        {{
            let W = multigrid(over = (h, w), levels = {levels}, coarsest = {coarsest})
            return f |> layer(c -> c: 5, bias = none, edge = W)
        }}"""
        count = sum(one.numel() for one in loaded(text, "N").parameters())
        assert count == 25 * (9 + 52 * (levels - 1) + 18 * (coarsest - 1))


def test_mgno_as_released() -> None:
    """MgNO_DC(L=4, cu=24, cf=1): [[1, 0]] * 5 + [[2, 0]], 572,661 parameters, the 0.57 M of the paper."""
    net = loaded(str(ROOT / "operators" / "mgno_darcy.arch"), "MgNODarcy")
    assert sum(one.numel() for one in net.parameters()) == 572_661
    a, written = drawn(2, 1, 32, 64), Written()
    weight, bias, head = net.parameters(recurse=False)
    first, passes = net.children()
    skip = functional.conv2d(a, weight[..., None, None], bias)
    v = functional.gelu(written.multigrid(first, a) + skip)
    for layer in passes:
        weight, bias = layer.parameters(recurse=False)
        (block,) = layer.children()
        v = functional.gelu(written.multigrid(block, v) + functional.conv2d(v, weight[..., None, None], bias))
    equal(net, net(a), functional.conv2d(v, head[..., None, None]))


def test_mgno() -> None:
    """The paper's layer: a bias that is a function on the grid, no skip, V-cycles at both ends."""
    path = ROOT / "operators" / "mgno.arch"
    text = archc.build(path, width=5, levels=3)
    net = instantiate(load_module(text, "MgNO"), {"h": 8, "w": 12}, dtype=torch.float64)
    a, written = drawn(2, 1, 8, 12), Written()
    (bias,) = net.parameters(recurse=False)
    first, passes, last = net.children()
    v = functional.gelu(written.multigrid(first, a) + bias)
    for layer in passes:
        (bias,) = layer.parameters(recurse=False)
        (block,) = layer.children()
        v = functional.gelu(written.multigrid(block, v) + bias)
    equal(net, net(a), written.multigrid(last, v))
