"""Three specs, one task: an MLP, a KAN and a convolutional net learn 1,797 scanned digits. `--short` for a quick look."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.nn.functional import cross_entropy

import archc

SPECS = Path(__file__).parent.parent / "specs"
NETS = {"MLP": "basic/mlp.arch", "KAN": "kan/digits_kan.arch", "conv": "vision/digits.arch"}


@dataclass(frozen=True)
class Result:
    """What training gave: the loss of each epoch, the accuracy on the test images, and what it took."""

    losses: list[float]
    accuracy: float
    parameters: int
    seconds: float


def digits() -> list[Tensor]:
    """Train images, test images [n, 8, 8] in [-1, 1], train labels, test labels [n]: a fixed split, classes in equal parts."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 8 - 1, labels, test_size=0.25, stratify=labels, random_state=0)
    return [*(torch.tensor(part, dtype=torch.float32).reshape(-1, 8, 8) for part in parts[:2]), *map(torch.tensor, parts[2:])]


def train(name: str, epochs: int, seed: int = 0) -> Result:
    """Train one net with Adam under a one-cycle learning rate, in batches of 64."""
    start = perf_counter()
    torch.manual_seed(seed)
    net = archc.load(SPECS / NETS[name])
    train_x, test_x, train_y, test_y = digits()
    if name == "conv":
        train_x, test_x = train_x.unsqueeze(1), test_x.unsqueeze(1)
    else:
        train_x, test_x = train_x.flatten(1), test_x.flatten(1)
    steps = epochs * -(-len(train_x) // 64)
    optimizer = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=LR[name], total_steps=steps)
    losses = []
    for _ in track(range(epochs), name, transient=True):
        total = 0.0
        for batch in torch.randperm(len(train_x)).split(64):
            optimizer.zero_grad()
            loss = cross_entropy(net(train_x[batch]), train_y[batch])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        losses.append(total / len(train_x))
    with torch.no_grad():
        accuracy = (net(test_x).argmax(1) == test_y).double().mean().item()
    return Result(losses, accuracy, sum(p.numel() for p in net.parameters()), perf_counter() - start)
LR={"MLP":5e-3,"KAN":1e-2,"conv":1e-2}
if __name__ == "__main__":
    torch.set_num_threads(1)
    E=int(sys.argv[1])
    for n in NETS:
        if len(sys.argv)>2: LR[n]=float(sys.argv[2])
        for s in range(3):
            r=train(n,E,s); print(n,s,round(r.accuracy,4),r.parameters,round(r.seconds,1),[round(l,3) for l in r.losses[::max(1,E//5)]], flush=True)
