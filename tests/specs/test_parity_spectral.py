"""Spectral operators equal the same nets written with torch's FFT, with copied weights, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, gelu, layer_norm, softmax

import archc
from tests.specs.conftest import ROOT
from tests.specs.test_parity import close, drawn, loaded


def corners(u: Tensor, multiplier: Tensor) -> Tensor:
    """The paper's code: the two corners of low frequencies of rfft2, each times a complex weight of its own."""
    weight = torch.view_as_complex(multiplier.contiguous())
    m, spectrum = weight.shape[-1], torch.fft.rfft2(u)
    product = spectrum.new_zeros(u.shape[0], weight.shape[0], *spectrum.shape[-2:])
    for rows, own in ((slice(m), weight[:, :, m:]), (slice(-m, None), weight[:, :, :m])):
        product[:, :, rows, :m] = torch.einsum("bixy,oixy->boxy", spectrum[:, :, rows, :m], own)
    return torch.fft.irfft2(product, s=u.shape[-2:])


def mixed(named: dict[str, Tensor], v: Tensor, name: str) -> Tensor:
    """The units of a field mixed point by point."""
    return conv2d(v, named[f"{name}_weight"][..., None, None], named[f"{name}_bias"])


def by_hand(named: dict[str, Tensor], a: Tensor, multipliers: list[Tensor]) -> Tensor:
    """The Fourier neural operator with these multipliers."""
    v = mixed(named, a, "v")
    for at, multiplier in enumerate(multipliers):
        v = gelu(corners(v, multiplier) + mixed(named, v, f"v_passes.{at}.layer"))
    return mixed(named, gelu(mixed(named, v, "layer_2")), "u")


@pytest.mark.parametrize("shape", [(16, 16), (9, 12), (11, 8)], ids=str)
def test_fno(shape: tuple[int, int]) -> None:
    net = loaded(ROOT / "operators" / "fno.arch", width=3, modes=4, depth=2)
    a, b = (drawn(2, 3, *shape).requires_grad_() for _ in range(2))
    named = dict(net.named_parameters())
    copied = {name: parameter.detach().clone().requires_grad_() for name, parameter in named.items()}
    multipliers = [copied[f"v_passes.{at}.layer_multiplier"] for at in range(2)]
    found, wanted = net(a), by_hand(copied, b, multipliers)
    close(found, wanted)
    ours = torch.autograd.grad(found.square().sum(), (a, *named.values()))
    theirs = torch.autograd.grad(wanted.square().sum(), (b, *copied.values()))
    for name, one, other in zip(("a", *named), ours, theirs, strict=True):
        assert other.abs().max() > 1e-6, name
        close(one, other)


def test_fno_has_the_parameters_of_the_papers_code() -> None:
    net = archc.load(ROOT / "operators" / "fno.arch", modes=12)
    counts = {name: parameter.numel() for name, parameter in net.named_parameters()}
    complex_numbers = sum(count for name, count in counts.items() if name.endswith("multiplier")) // 2
    assert sum(counts.values()) == 2_368_001
    assert sum(counts.values()) - complex_numbers == 1_188_353  # its own count, a complex number being one


def test_tfno_is_an_fno_with_tucker_weights() -> None:
    net = loaded(ROOT / "operators" / "tfno.arch", width=4, modes=4, depth=2)
    named = dict(net.named_parameters())
    multipliers = []
    for at in range(2):
        parts = [named[f"v_passes.{at}.tucker.{part}"] for part in ("onto", "into", "rows", "columns", "core")]
        multipliers.append(torch.einsum("ib,aj,pr,qs,barst->ijpqt", *parts))
    a = drawn(2, 3, 9, 12)
    close(net(a), by_hand(dict(named), a, multipliers))


def test_tfno_has_a_fifteenth_of_the_parameters() -> None:
    small, large = (archc.load(ROOT / "operators" / f"{name}.arch", modes=12) for name in ("tfno", "fno"))
    sizes = [sum(parameter.numel() for parameter in net.parameters()) for net in (small, large)]
    assert 14 < sizes[1] / sizes[0] < 15


def test_lordnet() -> None:
    net = loaded(ROOT / "operators" / "lordnet.arch", width=3, depth=2, grid=5)
    named = dict(net.named_parameters())
    a = drawn(2, 1, 5, 5)
    v = mixed(named, a, "v")
    for at in range(2):
        left, right = (named[f"v_passes.{at}.wide_y{number}_weight"] for number in ("", "_2"))
        v = v + gelu(mixed(named, left @ v @ right.mT, f"v_passes.{at}.layer"))
    close(net(a), mixed(named, v, "u"))


def test_lsm() -> None:
    net = loaded(ROOT / "operators" / "lsm.arch", width=4, heads=2, tokens=3, modes=3)
    named = {name.removeprefix("latent."): parameter for name, parameter in net.named_parameters()}
    a = drawn(2, 1, 4, 6)
    v = torch.einsum("dc,bcxy->bdxy", named["v_weight"], a) + named["v_bias"][:, None, None]
    # patches of 2 x 3 points
    x = v.unflatten(3, (2, 3)).unflatten(2, (2, 2)).permute(0, 2, 4, 3, 5, 1).flatten(3, 4)

    def heads(name: str) -> Tensor:
        return torch.einsum("...nd,hkd->...hnk", x, named[f"{name}_weight"]) + named[f"{name}_bias"].unsqueeze(1)

    start = named["start"].transpose(0, 1)
    z = start + softmax(start @ heads("key").mT, -1) @ heads("val")
    angle = torch.pi * torch.arange(1, 4) / 3 * z.unsqueeze(-1)
    series = named["sines"].unsqueeze(1) * angle.sin() + named["cosines"].unsqueeze(1) * angle.cos()
    z = z + series.sum(-1)
    read = softmax(heads("query") @ z.mT, -1) @ z
    x = x + read.transpose(-2, -3).flatten(-2)
    v = x.unflatten(3, (2, 3)).permute(0, 5, 1, 3, 2, 4).flatten(-2).flatten(-3, -2)
    close(net(a), mixed(named, gelu(mixed(named, v, "layer")), "u"))


def test_fnet() -> None:
    net = loaded(ROOT / "attention" / "fnet.arch", width=6, depth=2, expand=2)
    named = dict(net.named_parameters())

    def line(v: Tensor, name: str) -> Tensor:
        return v @ named[f"{name}_weight"].mT + named[f"{name}_bias"]

    x = drawn(2, 5, 8)
    h = line(x, "h")
    for at in range(2):
        norms = [(named[f"h_passes.{at}.norm{n}.gain"], named[f"h_passes.{at}.norm{n}.bias"]) for n in ("", "_2")]
        h = layer_norm(h + torch.fft.fft2(h).real, (6,), *norms[0])
        inner = gelu(line(h, f"h_passes.{at}.layer"))
        h = layer_norm(h + line(inner, f"h_passes.{at}.layer_2"), (6,), *norms[1])
    close(net(x), line(h, "y"))
