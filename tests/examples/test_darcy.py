"""The Darcy example: its solver against known solutions, its nets learn, its command writes a picture."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def flow() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLES / "darcy_flow.py")))


def centres(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.meshgrid(*2 * [(np.arange(size) + 0.5) / size], indexing="ij")
    return x, y


def test_solver_converges_to_a_made_solution(flow: SimpleNamespace) -> None:
    """u = sin(pi x) sin(2 pi y) for a = 2 + x^2 y, with the source that this takes: error of second order."""
    errors = []
    for size in (16, 32, 64):
        x, y = centres(size)
        sx, cx, sy, cy = np.sin(np.pi * x), np.cos(np.pi * x), np.sin(2 * np.pi * y), np.cos(2 * np.pi * y)
        a = 2 + x**2 * y
        source = 5 * np.pi**2 * a * sx * sy - 2 * x * y * np.pi * cx * sy - x**2 * 2 * np.pi * sx * cy
        errors.append(np.abs(flow.solve(a, source) - sx * sy).max())
    assert errors[2] < 2e-3
    assert 3.5 < errors[0] / errors[1] < 4.5
    assert 3.5 < errors[1] / errors[2] < 4.5


def test_solver_finds_the_pressure_of_one_medium(flow: SimpleNamespace) -> None:
    """-Laplace u = 1 in the unit square is 0.0736713 at its centre (Timoshenko, torsion of a square bar)."""
    u = flow.solve(np.full((65, 65), 3.0))
    assert u[32, 32] == pytest.approx(0.0736713 / 3, rel=1e-3)


def test_flow_in_layers(flow: SimpleNamespace) -> None:
    """What flows in leaves over the border, across jumps of the permeability too; the picture turns with its medium."""
    a = flow.permeability(32, np.random.default_rng(1))
    u = flow.solve(a)
    out = sum((2 * side * pressure).sum() for side, pressure in ((a[0], u[0]), (a[-1], u[-1])))
    out += sum((2 * side * pressure).sum() for side, pressure in ((a[:, 0], u[:, 0]), (a[:, -1], u[:, -1])))
    assert out == pytest.approx(1, rel=1e-9)
    np.testing.assert_allclose(flow.solve(np.rot90(a)), np.rot90(u), rtol=1e-9)


def test_media_are_the_same_on_every_grid(flow: SimpleNamespace) -> None:
    coarse, fine = (flow.permeability(size, np.random.default_rng(2)) for size in (32, 96))
    assert set(np.unique(fine)) == {3.0, 12.0}
    assert 0.2 < (fine == 12).mean() < 0.8
    # the middle of every coarse cell is the middle of one of its nine parts
    np.testing.assert_array_equal(fine[1::3, 1::3], coarse)


@pytest.mark.parametrize("name", ["MgNO", "FNO"])
def test_a_few_passes_teach_it_the_flow(name: str, flow: SimpleNamespace) -> None:
    """Well below the error of the mean pressure, which knows nothing of the medium."""
    train: Callable[..., Any] = runpy.run_path(str(EXAMPLES / "darcy.py"))["train"]
    found = train(name, 32, count=96, epochs=8, unseen=16)
    _, flows = flow.pairs(112, 32)
    mean, unseen = flows[:96].mean(0), flows[96:]
    blind = np.mean([np.linalg.norm(one - mean) / np.linalg.norm(one) for one in unseen])
    assert found.errors.mean() < 0.7 * blind
    assert found.losses[-1] < found.losses[0] / 3


def test_the_short_command_prints_errors_and_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = tmp_path / "darcy.png"
    monkeypatch.setattr(sys, "argv", [str(EXAMPLES / "darcy.py"), "--short", str(picture)])
    runpy.run_path(str(EXAMPLES / "darcy.py"), run_name="__main__")
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("MgNO", "FNO", "32 x 32", "64 x 64", "relative L2"))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000
