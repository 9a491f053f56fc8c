"""The digits example learns, whatever the seed, and its command prints a table."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"
CHANCE = 0.1

Train = Callable[..., tuple[list[float], float, int]]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def train() -> Train:
    found: Train = runpy.run_path(str(EXAMPLE))["train"]
    return found


@pytest.mark.parametrize(("name", "seed"), [("MLP", 1), ("KAN", 1), ("conv", 1), ("conv", 2)])
def test_a_few_epochs_teach_it_most_digits(train: Train, name: str, seed: int) -> None:
    losses, accuracy, parameters = train(name, epochs=8, seed=seed)
    assert losses[-1] < losses[0] / 4
    assert accuracy > 8 * CHANCE
    assert parameters > 10_000


def test_the_short_command_prints_every_net(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "--short"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("MLP", "KAN", "conv", "test accuracy"))
