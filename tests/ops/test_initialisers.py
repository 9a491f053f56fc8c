"""Every initialiser keeps its contract: none is named here."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archc import load
from archc.ops.operation import Initialiser
from archc.ops.registries import INITIALISERS

ALL = list(INITIALISERS)
CASES = [(entry, count) for entry in ALL for count in range(entry.least, len(entry.arguments) + 1)]


def fill(entry: type[Initialiser], arguments: tuple[float, ...], fan_in: str, fan_out: str) -> Tensor:
    """A tensor of 100 by 200 filled as the generated code would, from a fixed seed."""
    torch.manual_seed(0)
    scope: dict[str, Any] = {
        "torch": torch,
        "nn": nn,
        "math": math,
        "W": torch.full((100, 200), torch.nan, dtype=torch.float64),
        "d": 50,
    }
    statement = entry().torch("W", arguments, fan_in, fan_out)
    assert statement.isascii()
    exec(statement, scope)
    filled: Tensor = scope["W"]
    return filled


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.word)
def test_states_what_it_is(entry: type[Initialiser]) -> None:
    assert inspect.getdoc(entry)
    assert inspect.getdoc(inspect.getmodule(entry))
    assert getattr(entry, "__final__", False)
    assert 0 <= entry.least <= len(entry.arguments)


@pytest.mark.parametrize(("entry", "count"), CASES, ids=lambda case: getattr(case, "word", str(case)))
def test_fills_every_entry_with_finite_numbers(entry: type[Initialiser], count: int) -> None:
    arguments = (0.25, 0.5)[:count]
    filled = fill(entry, arguments, "d", "2 * d")
    assert torch.isfinite(filled).all()
    assert filled.abs().max() <= 5


@pytest.mark.parametrize(("entry", "count"), CASES, ids=lambda case: getattr(case, "word", str(case)))
def test_same_seed_same_numbers(entry: type[Initialiser], count: int) -> None:
    arguments = (0.25, 0.5)[:count]
    assert torch.equal(fill(entry, arguments, "d", "d"), fill(entry, arguments, "d", "d"))


@pytest.mark.parametrize(
    ("word", "arguments", "low", "high", "std"),
    [
        ("zero", (), 0.0, 0.0, 0.0),
        ("one", (), 1.0, 1.0, 0.0),
        ("constant", (0.3,), 0.3, 0.3, 0.0),
        ("uniform", (0.3,), -0.3, 0.3, 0.3 / math.sqrt(3)),
        ("uniform", (0.1, 0.3), 0.1, 0.3, 0.1 / math.sqrt(3)),
        ("normal", (0.1,), -1.0, 1.0, 0.1),
        ("truncated_normal", (0.1,), -0.2, 0.2, 0.0880),
        ("lecun", (2.0,), -2.0, 2.0, 0.2),
        ("glorot", (), -math.sqrt(6 / 150), math.sqrt(6 / 150), math.sqrt(2 / 150)),
        ("kaiming", (), -1 / math.sqrt(50), 1 / math.sqrt(50), 1 / math.sqrt(150)),
    ],
)
def test_known_distributions(word: str, arguments: tuple[float, ...], low: float, high: float, std: float) -> None:
    filled = fill(INITIALISERS[word], arguments, "d", "2 * d")
    assert low <= filled.min() <= filled.max() <= high
    assert filled.std().item() == pytest.approx(std, rel=0.02, abs=1e-12)


def test_ring_is_even_in_the_plane() -> None:
    """As many radii in equal areas: their squares are uniform."""
    radius = torch.exp(-torch.exp(fill(INITIALISERS["ring"], (0.5, 0.9), "d", "d")))
    counts = torch.histc(radius.square(), 10, 0.25, 0.81)
    assert counts.sum() == radius.numel()
    torch.testing.assert_close(counts / radius.numel(), torch.full((10,), 0.1).double(), rtol=0, atol=0.01)


def test_exponential_of_log_of_uniform_is_uniform() -> None:
    drawn = torch.exp(fill(INITIALISERS["log_of_uniform"], (0.5, 2.5), "d", "d"))
    counts = torch.histc(drawn, 10, 0.5, 2.5)
    assert counts.sum() == drawn.numel()
    torch.testing.assert_close(counts / drawn.numel(), torch.full((10,), 0.1).double(), rtol=0, atol=0.01)


def test_orthogonal_rows_are_orthogonal() -> None:
    filled = fill(INITIALISERS["orthogonal"], (2.0,), "d", "d")
    torch.testing.assert_close(filled @ filled.mT, 4 * torch.eye(100, dtype=torch.float64))


def test_kaiming_is_how_torch_starts_a_linear_layer() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(50, 30, dtype=torch.float64)
    bound = 1 / math.sqrt(50)
    assert linear.weight.abs().max().item() == pytest.approx(bound, rel=0.01)


def test_entries_fill_the_last_axis_from_its_start() -> None:
    filled = fill(INITIALISERS["entries"], (0.5, -2.0, 3.0), "d", "d")
    assert filled[:, :3].tolist() == [[0.5, -2.0, 3.0]] * 100
    assert not filled[:, 3:].any()


def test_entries_of_a_parameter_that_is_too_short_are_refused() -> None:
    spec = (
        "net N(x: real[n]) -> (y: real[n]) { param a: real[p: 2] = entries(1, 2, 3) return polynomial(x, a, over = p) }"
    )
    with pytest.raises(RuntimeError, match="size"):
        load(spec)
    assert load(spec.replace("p: 2", "p: 5")).a.tolist() == [1, 2, 3, 0, 0]
