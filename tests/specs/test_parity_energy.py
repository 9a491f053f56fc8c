"""Nets that differentiate an energy, against torch.autograd on one that is written out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archc.driver import build
from archc.run.load import instantiate, load_module
from tests.specs.conftest import ROOT


class Hamiltonian(nn.Module):
    """Three layers with tanh (arXiv 1906.01563, sec. 3.1)."""

    def __init__(self, d: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2 * d, width), nn.Linear(width, width), nn.Linear(width, 1, bias=False)])

    def forward(self, q: Tensor, p: Tensor) -> Tensor:
        first, second, last = self.layers
        energy: Tensor = last(torch.tanh(second(torch.tanh(first(torch.cat((q, p), -1))))))
        return energy.squeeze(-1)


def test_a_hamiltonian_network_moves_as_its_energy_says() -> None:
    found = load_module(build(ROOT / "basic" / "hnn.arch"), "HNN")
    module = instantiate(found, {"width": 16}, dtype=torch.float64)
    energy = Hamiltonian(2, 16).double()
    for own, given in zip(energy.parameters(), module.parameters(), strict=True):
        own.data.copy_(given.data.reshape(own.shape))
    q, p = (torch.randn(5, 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    dq, dp = module(torch.stack((q, p), 1)).unbind(1)
    hq, hp = torch.autograd.grad(energy(q, p).sum(), (q, p), create_graph=True)
    torch.testing.assert_close(dq, hp, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(dp, -hq, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close((hq * dq + hp * dp).sum(-1), torch.zeros(5, dtype=torch.float64), rtol=0, atol=1e-14)
    # and it trains as the written-out one does
    loss, wanted = (dq.square() + dp.square()).sum(), (hp.square() + hq.square()).sum()
    mine = torch.autograd.grad(loss, list(module.parameters()))
    theirs = torch.autograd.grad(wanted, list(energy.parameters()))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.reshape(other.shape), other, rtol=1e-10, atol=1e-12)
