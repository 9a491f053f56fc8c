"""A pointer network learns the convex hulls of five points in the plane: 28 times 100,000 fresh sets of points.

Takes some minutes on one thread; `--short` is a quick look at a narrower net.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

import archc

SPEC = Path(__file__).parent.parent / "specs" / "pointer" / "pointer.arch"
POINTS, BATCH = 5, 128


def hulls(points: Tensor) -> tuple[Tensor, Tensor]:
    """The corners of each hull counter-clockwise, from the one of lowest index back to it and on, [set, n + 1], and
    how many entries that takes. Point j follows point i where no point lies right of the line from i to j."""
    x, y = (points[:, None] - points[:, :, None]).unbind(-1)  # from i to j: [set, i, j]
    turns = x[..., None] * y[:, :, None] - y[..., None] * x[:, :, None]  # [set, i, j, k]
    follows = (turns >= 0).all(-1) & ~torch.eye(points.shape[1], dtype=torch.bool)
    corner = follows.any(-1).int()
    path = [corner.argmax(1, keepdim=True)]
    for _ in range(points.shape[1]):
        path.append(follows.int().argmax(-1).gather(1, path[-1]))
    return torch.cat(path, 1), corner.sum(1, keepdim=True) + 1


def answers(net: nn.Module, points: Tensor) -> Tensor:
    """What the net points at, the likeliest each time, closed where it first comes back to its start: [set, n + 1]."""
    chosen = torch.zeros(len(points), 0, dtype=torch.long)
    for _ in range(points.shape[1] + 1):
        pending = nn.functional.pad(chosen, (0, 1))
        chosen = torch.cat((chosen, net(points, pending)[:, -1:].argmax(-1)), 1)
    back = (chosen == chosen[:, :1]).cumsum(1) > 1
    return torch.where(back, chosen[:, :1], chosen)


def area(points: Tensor, path: Tensor) -> Tensor:
    """The area inside a closed path, [set]."""
    (x, y), (u, v) = (points.gather(1, one[..., None].expand(-1, -1, 2)).unbind(-1) for one in (path, path.roll(-1, 1)))
    return (x * v - y * u).sum(1).abs() / 2


def train(
    epochs: int = 28, sets: int = 100_000, width: int = 128, seed: int = 0
) -> tuple[list[float], Tensor, nn.Module]:
    """Train on fresh sets of points each epoch. Returns the mean loss of each epoch, then of unseen sets the share of
    exact answers and the mean share of the area inside, and the net."""
    torch.manual_seed(seed)
    net, steps = archc.load(SPEC, width=width), sets // BATCH
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * steps)
    losses = [0.0] * epochs
    for step in track(range(epochs * steps), "hulls", console=Console(stderr=True)):
        if step % steps == 0:
            points = torch.rand(sets, POINTS, 2)
            path, length = hulls(points)
        at = slice(step % steps * BATCH, step % steps * BATCH + BATCH)
        p = net(points[at], path[at]).gather(-1, path[at][..., None])[..., 0]
        loss = -p[torch.arange(POINTS + 1) < length[at]].clamp(min=1e-9).log().mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        rate.step()
        losses[step // steps] += loss.item() / steps
    points = torch.rand(10_000, POINTS, 2)
    path, length = hulls(points)
    path = torch.where(torch.arange(POINTS + 1) < length, path, path[:, :1])
    with torch.no_grad():
        found = answers(net, points)
    exact, covered = (found == path).all(1), area(points, found) / area(points, path)
    return losses, torch.stack((exact, covered)).mean(1), net


def draw(net: nn.Module, file: Path) -> None:
    """Eight sets of points, their hulls, and what the net answers."""
    points = torch.rand(8, POINTS, 2)
    found, (path, length) = answers(net, points), hulls(points)
    figure = Figure(figsize=(10, 5))
    for one, plot in enumerate(figure.subplots(2, 4).flat):
        plot.fill(*points[one, path[one, : length[one]]].T, color="0.85")
        plot.plot(*points[one, found[one]].T, color="tab:blue")
        plot.scatter(*points[one].T, color="black", zorder=3)
        plot.set_axis_off()
    figure.savefig(file)


if __name__ == "__main__":
    torch.set_num_threads(1)  # steps this small lose time by sharing them out
    start = perf_counter()
    losses, (exact, covered), net = train(*((8, 25_600, 64) if "--short" in sys.argv else ()))
    draw(net, Path("hulls.png"))
    print(f"exact {exact:.1%}, area {covered:.1%}, {perf_counter() - start:.0f} s; hulls.png")
