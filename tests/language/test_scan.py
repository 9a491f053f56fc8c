"""Loops along an axis: each equals its passes written out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import archc
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

CUMULATED = """
block summed (over: axes) (x: real[over]) -> (y: real[over]) {
    let (h, y) = scan over over with h = 0 {
        let h = h + x
        emit h
        return h
    }
    return y
}
net N (x: real[batch, t, s]) -> (y: real[batch, t, s]) { return x |> summed(over = t) |> summed(over = s) }
"""


def loaded(text: str) -> nn.Module:
    return instantiate(load_module(archc.build(text), "N"), {}, dtype=torch.float64)


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_one_block_runs_along_one_axis_and_along_another() -> None:
    x = drawn(2, 3, 4)
    torch.testing.assert_close(loaded(CUMULATED)(x), x.cumsum(1).cumsum(2))
    assert verify(archc.graph(CUMULATED), archc.build(CUMULATED), regimes=("primes",)).ok


LOOP = """
block cell (x: real[d], h: real[d]) -> (y: real[d]) {
    return tanh(layer(x, d -> d) + layer(h, d -> d, bias = none))
}
net N (x: real[batch, t: 4, d: 3], start: real[batch, d: 3]) -> (last: real[batch, d: 3], y: real[batch, t: 4, d: 3]) {
    share f = cell
    LOOP
}
"""
SCAN = """let (h, y) = scan over t with h = start {
        let h = f(x, h)
        emit h
        return h
    }
    return h, y"""
UNROLLED = """
    let a = f(x[t: 0], start)
    let b = f(x[t: 1], a)
    let c = f(x[t: 2], b)
    let d_ = f(x[t: 3], c)
    return d_, stack(a, b, c, d_, axis = t)"""


def test_scan_is_its_unrolled_form() -> None:
    scan, unrolled = (loaded(LOOP.replace("LOOP", body, 1)) for body in (SCAN, UNROLLED))
    for one, other in zip(scan.parameters(), unrolled.parameters(), strict=True):
        other.data = one.data
    x, start = drawn(2, 4, 3), drawn(2, 3)
    grads = []
    for net in (scan, unrolled):
        last, y = net(x, start)
        torch.testing.assert_close(last, y[:, -1])
        grads.append([y, *torch.autograd.grad(y.square().sum() + last.sum(), list(net.parameters()))])
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
