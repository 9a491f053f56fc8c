"""The hull example: its hulls are SciPy's, a short training reads them off the points, answers are drawn."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from scipy.spatial import ConvexHull
from torch import Tensor, nn

import archc

EXAMPLE = Path(__file__).parents[2] / "examples" / "hull.py"
WITHOUT_POINTS = 0.80  # the entropy of an answer's next entry, given those before it and nothing of the points


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def example() -> dict[str, Callable[..., object]]:
    return runpy.run_path(str(EXAMPLE))


def test_hulls_are_scipys(example: dict[str, Callable[..., tuple[Tensor, Tensor]]]) -> None:
    points = torch.rand(200, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    paths, lengths = example["hulls"](points)
    for one, path, length in zip(points, paths, lengths, strict=True):
        wanted = ConvexHull(one.numpy())
        corners = wanted.vertices.tolist()  # counter-clockwise
        first = corners.index(min(corners))
        assert path[:length].tolist() == [*corners[first:], *corners[:first], corners[first]]
        closed = torch.where(torch.arange(6) < length, path, path[0])
        torch.testing.assert_close(example["area"](one[None], closed[None])[0].item(), wanted.volume)


def test_a_short_training_reads_hulls_off_the_points(
    example: dict[str, Callable[..., tuple[list[float], Tensor, nn.Module]]],
) -> None:
    losses, (exact, covered), _ = example["train"](8, 25_600, 64)
    assert losses[-1] < 0.8 * WITHOUT_POINTS
    assert exact > 0.3
    assert covered > 0.85


def test_answers_are_drawn(example: dict[str, Callable[..., object]], tmp_path: Path) -> None:
    net = archc.load(EXAMPLE.parent.parent / "specs" / "pointer" / "pointer.arch", width=8)
    example["draw"](net, tmp_path / "hulls.png")
    assert (tmp_path / "hulls.png").read_bytes().startswith(b"\x89PNG")
