"""Quantised vectors against their papers' equations, written out in torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from archc.driver import build, graph
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

VQ = """
use std.quantise.vector_quantise
net N(x: real[b, d: 3]) -> (y: real[b, d: 3], loss: real[b], code: index(7)[b]) {
    return vector_quantise(x, over = d, codes = 7, beta = 0.5)
}
"""
FEATURES = """
use std.quantise.codebook_features
net N(x: real[b, d: 3]) -> (y: real[b, d: 3], loss: real[b]) {
    return codebook_features(x, over = d, codes = 9, keep = 4)
}
"""


def made(spec: str) -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """The module, its book, points and random weights."""
    module = instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64, seed=1)
    (book,) = module.parameters()
    generator = torch.Generator().manual_seed(2)
    x, weights = (torch.randn(20, 3, dtype=torch.float64, generator=generator) for _ in range(2))
    return module, book, x.requires_grad_(), weights


def test_module_and_reference_agree() -> None:
    for spec in (VQ, FEATURES):
        report = verify(graph(spec), build(spec), regimes=("primes",))
        assert report.ok, [trial.fault or trial.comparisons for trial in report.trials]


def test_a_vector_becomes_its_nearest_code() -> None:
    module, book, x, weights = made(VQ)
    y, loss, code = module(x)
    nearest = torch.cdist(x, book).argmin(-1)
    e = book[nearest]
    assert torch.equal(code, nearest)
    assert len(code.unique()) > 2
    assert torch.equal(y, e)
    wanted = functional.mse_loss(e, x.detach(), reduction="none") + 0.5 * functional.mse_loss(
        x, e.detach(), reduction="none"
    )
    torch.testing.assert_close(loss, wanted.sum(-1), rtol=1e-12, atol=1e-14)
    mine = torch.autograd.grad((y * weights).sum() + loss.sum(), (x, book))
    theirs = torch.autograd.grad(((x + (e - x).detach()) * weights).sum() + wanted.sum(), (x, book))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


def test_a_vector_becomes_the_sum_of_its_most_similar_codes() -> None:
    module, book, x, weights = made(FEATURES)
    y, loss = module(x)
    similarity = functional.cosine_similarity(x.unsqueeze(1), book, dim=-1)
    e = book[similarity.topk(4).indices].sum(1)
    torch.testing.assert_close(y, e, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(loss, (x.detach() - e).square().sum(-1), rtol=1e-12, atol=1e-12)
    mine = torch.autograd.grad((y * weights).sum() + loss.sum(), (x, book))
    torch.testing.assert_close(mine[0], weights, rtol=1e-12, atol=1e-12)
    (wanted,) = torch.autograd.grad((x.detach() - e).square().sum(), book)
    torch.testing.assert_close(mine[1], wanted, rtol=1e-11, atol=1e-12)
