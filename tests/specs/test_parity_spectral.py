"""Spectral operators equal the same nets written with torch's FFT, with copied weights, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, gelu

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


def by_hand(net: nn.Module, a: Tensor) -> Tensor:
    named = dict(net.named_parameters())

    def mixed(v: Tensor, name: str) -> Tensor:
        return conv2d(v, named[f"{name}_weight"][..., None, None], named[f"{name}_bias"])

    v = mixed(a, "v")
    for at in range(sum(name.endswith("multiplier") for name in named)):
        v = gelu(corners(v, named[f"v_passes.{at}.layer_multiplier"]) + mixed(v, f"v_passes.{at}.layer"))
    return mixed(gelu(mixed(v, "layer_2")), "u")


@pytest.mark.parametrize("shape", [(16, 16), (9, 12), (11, 8)], ids=str)
def test_fno(shape: tuple[int, int]) -> None:
    net = loaded(ROOT / "operators" / "fno.arch", width=3, modes=4, depth=2)
    a, b = (drawn(2, 3, *shape).requires_grad_() for _ in range(2))
    found, wanted = net(a), by_hand(net, b)
    close(found, wanted)
    found.square().sum().backward()
    wanted.square().sum().backward()
    assert a.grad is not None
    assert b.grad is not None
    close(a.grad, b.grad)


def test_fno_has_the_parameters_of_the_papers_code() -> None:
    net = archc.load(ROOT / "operators" / "fno.arch", modes=12)
    counts = {name: parameter.numel() for name, parameter in net.named_parameters()}
    complex_numbers = sum(count for name, count in counts.items() if name.endswith("multiplier")) // 2
    assert sum(counts.values()) == 2_368_001
    assert sum(counts.values()) - complex_numbers == 1_188_353  # its own count, a complex number being one
