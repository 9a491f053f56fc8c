"""Three specs, one task: an MLP, a KAN and a convolutional net learn 1,797 scanned digits. `--short`: a quick look."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import archc

SPECS = Path(__file__).parent.parent / "specs"
NETS = {"MLP": ("basic/mlp", [64]), "KAN": ("kan/digits_kan", [64]), "conv": ("vision/digits", [1, 8, 8])}


def train(name: str, epochs: int = 30, seed: int = 0) -> tuple[list[float], float, int]:
    """Train on three quarters of the images, the same for every seed.

    Returns the mean loss of each epoch, the accuracy on the last quarter, and the number of parameters.
    """
    torch.manual_seed(seed)
    spec, shape = NETS[name]
    net = archc.load(SPECS / f"{spec}.arch")
    images, labels = load_digits(return_X_y=True)
    x, unseen, y, answers = map(torch.tensor, train_test_split(images, labels, stratify=labels, random_state=0))
    x, unseen = ((part.float() / 8 - 1).reshape(-1, *shape) for part in (x, unseen))
    batches = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    optimizer = torch.optim.AdamW(net.parameters())
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, epochs=epochs, steps_per_epoch=len(batches))
    losses = [0.0] * epochs
    for epoch in track(range(epochs), f"{name:4}", console=Console(stderr=True)):
        for digits, digit in batches:
            optimizer.zero_grad()
            loss = cross_entropy(net(digits), digit)
            torch.autograd.backward(loss)
            optimizer.step()
            rate.step()
            losses[epoch] += loss.item() * len(digit) / len(y)
    with torch.no_grad():
        accuracy = (net(unseen).argmax(1) == answers).double().mean().item()
    return losses, accuracy, sum(parameter.numel() for parameter in net.parameters())


if __name__ == "__main__":
    torch.set_num_threads(1)  # nets this small lose time by sharing it out
    table = Table("net", "test accuracy", "parameters", "seconds")
    for name in NETS:
        start = perf_counter()
        _, accuracy, parameters = train(name, epochs=8 if "--short" in sys.argv else 30)
        table.add_row(name, f"{accuracy:.3f}", f"{parameters:,}", f"{perf_counter() - start:.1f}")
    Console().print(table)
