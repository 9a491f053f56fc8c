"""A KAN finds exp(sin(pi x) + y^2), then its grid is refined: same function, finer splines. `--short`: a quick look."""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

import archc

# tanh keeps the second layer on its grid [-1, 1], where a refined spline is the one before it
KAN = """net KAN(grid = 3) (x: real[batch, d: 2]) -> (y: real[batch, d: 1], inner: real[batch, d: 1]) {
    let inner = x |> layer(d -> d: 1, edge = silu >> weight + spline(grid = grid), bias = none)
    return inner |> layer(d -> d: 1, edge = silu >> weight + tanh >> spline(grid = grid), bias = none), inner
}"""


def error(net: nn.Module, x: Tensor) -> Tensor:
    return torch.sqrt(torch.mean((net(x).y - torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:] ** 2)) ** 2))


def fit(net: nn.Module, x: Tensor, steps: int, grid: int) -> float:
    def loss() -> float:
        net.zero_grad()
        torch.autograd.backward(found := error(net, x) ** 2)
        return found.item()

    optimizer: torch.optim.Optimizer = torch.optim.LBFGS(net.parameters(), line_search_fn="strong_wolfe")
    for _ in track(range(steps), f"grid {grid:2}", console=Console(stderr=True)):
        optimizer.step(loss)
    return error(net, x).item()


def train(steps: int = 20, starts: int = 3, seed: int = 0) -> tuple[nn.Module, dict[int, tuple[float, float]]]:
    """The best of a few starts, refined; for each grid the test error and how far refining to it moved the function."""
    torch.manual_seed(seed)
    x, unseen = (2 * torch.rand(1000, 2, dtype=torch.float64) - 1 for _ in range(2))
    net = min((archc.load(KAN).double() for _ in range(starts)), key=lambda start: fit(start, x, steps, 3))
    found = {3: (error(net, unseen).item(), 0.0)}
    for coarse, fine in ((3, 6), (6, 12)):  # every knot of a grid is a knot of the next
        before, net = net, archc.refine(net, archc.graph(KAN, grid=coarse), archc.graph(KAN, grid=fine))
        moved = (net(unseen).y - before(unseen).y).abs().max().item()
        fit(net, x, steps, fine)
        found[fine] = error(net, unseen).item(), moved
    return net, found


if __name__ == "__main__":
    net, found = train(steps=5 if "--short" in sys.argv else 20)
    for grid, (missed, moved) in found.items():
        print(f"{grid:2} intervals: test error {missed:.2e}; refining to them moved the function by {moved:.0e}")
    t = torch.linspace(-1, 1, 401, dtype=torch.float64)
    y, inner = (value.detach() for value in net(torch.stack((torch.cat((t, 0 * t)), torch.cat((0 * t, t))), -1)))
    for panel, at, edge in zip(plt.subplots(1, 3)[1], (t, t, inner), (inner[:401], inner[401:], y), strict=True):
        panel.plot(at, edge, ".", markersize=2)
    plt.savefig("kan_fit.png")
