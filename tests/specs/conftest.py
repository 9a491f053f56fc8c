"""The specs of the house, each compiled once in a small form, with inputs of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archc
from archc.base.assets import specs_root
from archc.run.feed import inputs
from archc.run.load import instantiate, load_module

ROOT = specs_root()
NAMES = sorted(str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.rglob("*.arch") if path.parent.name != "std")

# What keeps the tests quick: narrow nets, shallow recursion.
SMALL: Mapping[str, Mapping[str, int]] = {
    "attention/attention": {"width": 8, "heads": 2},
    "basic/mlp": {"width": 16, "depth": 3},
    "operators/deeponet": {"width": 12, "latent": 5},
    "vision/conv": {"width": 4},
    "vision/unet": {"width": 4, "levels": 2},
}

# The sizes of these axes are multiples of something.
STEPS: Mapping[str, Mapping[str, int]] = {"vision/unet": {"h": 4, "w": 4}}


@dataclass(frozen=True)
class Net:
    """A spec of the house in its small form."""

    name: str

    @property
    def path(self) -> Path:
        return ROOT / f"{self.name}.arch"

    @property
    def hypers(self) -> Mapping[str, int]:
        return SMALL.get(self.name, {})

    @property
    def steps(self) -> Mapping[str, int]:
        """By axis, what its size is a multiple of."""
        return STEPS.get(self.name, {})

    _net = cache(Net)


@pytest.fixture(params=NAMES)
def net(request: pytest.FixtureRequest) -> Net:
    """Each spec in turn, or those that a test names."""
    return _net(request.param)
