"""The KAN example finds its function, and refining its grid leaves it as it was."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

EXAMPLE = Path(__file__).parents[2] / "examples" / "kan_fit.py"

Train = Callable[..., tuple[nn.Module, dict[int, tuple[float, float]]]]


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


@pytest.mark.parametrize("seed", [0, 1])
def test_refining_keeps_the_function_and_a_tenth_of_the_error(train: Train, seed: int) -> None:
    """The published figures are 1.39e-2 for 3 intervals and 6.16e-4 for 10 (pykan's notebooks)."""
    net, found = train(steps=12, seed=seed)
    errors, moves = zip(*found.values(), strict=True)
    assert list(found) == [3, 6, 12]
    assert max(moves) < 1e-12
    assert errors[0] < 0.02
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < errors[0] / 10
    assert [tuple(p.shape) for name, p in net.named_parameters() if "coefficients" in name] == [(1, 2, 15), (1, 1, 15)]


def test_the_short_command_prints_every_grid_and_draws_the_edges(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "--short"])
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    shown = capsys.readouterr().out
    assert all(f"{grid} intervals: test error" in shown for grid in (3, 6, 12))
    assert (tmp_path / "kan_fit.png").stat().st_size > 5000
