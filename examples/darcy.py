"""Two neural operators, MgNO and FNO, learn the flow through a random medium on two grids, and draw what they learned.

`python examples/darcy.py [--short] [picture.png]`, a few minutes on two cores.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import torch
from darcy_flow import pairs
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

import archc

SPECS = Path(__file__).parent.parent / "specs" / "operators"
NETS: dict[str, tuple[str, dict[str, Any]]] = {"MgNO": ("mgno_darcy", {"levels": 5}), "FNO": ("fno", {"modes": 12})}
COLUMNS = ("permeability", "pressure", "prediction", "error")


class Trained(NamedTuple):
    """Mean loss of each epoch, relative L2 error of each held-out pair, the first of those pairs as it was learned, and
    the number of parameters."""

    losses: list[float]
    errors: Tensor
    fields: list[Tensor]
    parameters: int


def relative(found: Tensor, wanted: Tensor) -> Tensor:
    """The relative L2 error of each field."""
    error, whole = (part.flatten(1).square().sum(1).sqrt() for part in (found - wanted, wanted))
    return error / whole


def train(name: str, size: int, count: int = 384, epochs: int = 20, unseen: int = 64, seed: int = 0) -> Trained:
    """Train on `count` pairs, test on `unseen` others."""
    torch.manual_seed(seed)
    spec, hypers = NETS[name]
    net = archc.load(SPECS / f"{spec}.arch", **hypers)
    for weight in net.parameters():
        if weight.dim() == 4:  # convolutions are quicker with their channels last in memory
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    media, flows = (torch.from_numpy(part).float()[:, None] for part in pairs(count + unseen, size))
    scale = flows[:count].std()
    x, y = (media - 7.5) / 4.5, flows / scale
    if name == "FNO":  # it is told where each point lies
        place = ((torch.arange(size) + 0.5) / size).expand(len(x), 1, size, size)
        x = torch.cat((x, place, place.mT), 1)
    optimizer = torch.optim.AdamW(net.parameters())
    steps = -(-count // 8)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, epochs=epochs, steps_per_epoch=steps)
    losses = []
    for _ in track(range(epochs), f"{name:4} {size} x {size}", console=Console(stderr=True)):
        total = 0.0
        for batch in torch.randperm(count).chunk(steps):
            optimizer.zero_grad()
            loss = relative(net(x[batch]), y[batch]).mean()
            torch.autograd.backward(loss)
            optimizer.step()
            rate.step()
            total += loss.item() * len(batch) / count
        losses.append(total)
    with torch.no_grad():
        found = torch.cat([net(part) for part in x[count:].chunk(8)])
    shown = [media[count], flows[count], found[0] * scale, found[0] * scale - flows[count]]
    parameters = sum(parameter.numel() for parameter in net.parameters())
    return Trained(losses, relative(found, y[count:]), [one[0] for one in shown], parameters)


def draw(rows: dict[str, Trained], path: Path) -> None:
    """One row of pictures for each net: what it is given, what is right, what it says, how far that is off."""
    figure = Figure(figsize=(13, 3.2 * len(rows)), layout="constrained")
    for places, (name, trained) in zip(figure.subplots(len(rows), 4, squeeze=False), rows.items(), strict=True):
        top = float(trained.fields[1].max())
        for place, title, field in zip(places, COLUMNS, trained.fields, strict=True):
            limit = top if title in ("pressure", "prediction") else None
            figure.colorbar(place.imshow(field.numpy(), vmax=limit), ax=place)
            place.set(title=f"{name}: {title}", xticks=[], yticks=[])
    figure.savefig(path)


if __name__ == "__main__":
    options, table = sys.argv[1:], Table("net", "grid", "relative L2", "parameters", "seconds")
    effort = {"count": 32, "epochs": 3, "unseen": 8} if "--short" in options else {}
    last = {}
    for size in (32, 64):
        for name in NETS:
            start = perf_counter()
            last[name] = train(name, size, **effort)
            row = f"{last[name].errors.mean():.4f}", f"{last[name].parameters:,}", f"{perf_counter() - start:.0f}"
            table.add_row(name, f"{size} x {size}", *row)
    Console().print(table)
    path = Path(next((word for word in options if not word.startswith("-")), "darcy.png"))
    draw(last, path)
    Console().print(f"wrote {path}", highlight=False)
