"""The digits example learns, whatever the seed, and its command prints a table."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import torch

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"
CHANCE = 0.1


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    spec = spec_from_file_location("digits", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ["MLP", "KAN", "conv"])
def test_a_few_epochs_teach_it_most_digits(digits: ModuleType, name: str, seed: int) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        losses, accuracy, parameters = digits.train(name, epochs=8, seed=seed)
    finally:
        torch.set_num_threads(threads)
    assert losses[-1] < losses[0] / 4
    assert accuracy > 8 * CHANCE
    assert parameters > 10_000


def test_the_short_command_prints_every_net() -> None:
    done = subprocess.run([sys.executable, EXAMPLE, "--short"], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in ("MLP", "KAN", "conv", "test accuracy"))
