"""The specs of the house, each compiled once in a small form, with inputs of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import signature
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archc
from archc.base.assets import specs_root
from archc.run.feed import inputs
from archc.run.load import instantiate, load_module

ROOT = specs_root()
NAMES = sorted(
    str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.rglob("*.arch") if path.parent.name != "std"
)

# What keeps the tests quick: narrow nets, shallow recursion.
SMALL: Mapping[str, Mapping[str, int]] = {
    "attention/attention": {"width": 8, "heads": 2},
    "attention/fnet": {"width": 8, "depth": 1, "expand": 2},
    "attention/sparse_transformer": {"width": 8, "heads": 2, "depth": 1, "stride": 2},
    "attention/switch": {"width": 8, "heads": 2, "depth": 1, "count": 3, "keep": 2},
    "attention/universal_transformer": {"width": 8, "heads": 2, "depth": 2, "expand": 2},
    "basic/hnn": {"width": 6},
    "basic/mip": {"width": 6, "code": 5},
    "basic/mlp": {"width": 16, "depth": 3},
    "graphs/egnn": {"width": 8},
    "graphs/gat": {"width": 3, "heads": 2},
    "graphs/nbfnet": {"width": 6, "depth": 2, "relations": 3},
    "implicit/anie": {"width": 8},
    "implicit/realnvp": {"width": 8, "depth": 2},
    "implicit/rk4": {"width": 8, "hidden": 8, "steps": 2},
    "kan/kan_conv": {"width": 3, "grid": 3},
    "kan/kat": {"width": 16, "depth": 2, "heads": 2, "patches": 5},
    "operators/deeponet": {"width": 12, "latent": 5},
    "operators/lordnet": {"width": 3, "depth": 2, "grid": 5},
    "operators/lsm": {"width": 8, "heads": 2, "tokens": 3, "modes": 3},
    "operators/multionet": {"width": 8, "depth": 2},
    "operators/tfno": {"width": 4, "modes": 2, "depth": 2},
    "operators/transolver": {"width": 8, "heads": 2, "slices": 3, "depth": 1},
    "sets/set_transformer": {"width": 8, "heads": 2, "points": 3},
    "operators/fno": {"width": 4, "modes": 2, "depth": 2},
    "operators/mgno": {"width": 4, "levels": 2, "depth": 3},
    "operators/mgno_darcy": {"width": 4, "levels": 2, "depth": 2},
    "pointer/pointer": {"width": 6},
    "pointer/set_pointer": {"width": 8, "heads": 2, "depth": 1},
    "sequence/deltanet": {"width": 8, "heads": 2, "depth": 2},
    "sequence/gru": {"width": 5},
    "sequence/linear_transformer": {"width": 8, "heads": 2, "depth": 2},
    "sequence/lru": {"width": 5, "states": 4, "depth": 2},
    "sequence/mamba": {"width": 4, "states": 3, "rank": 2, "depth": 2},
    "sequence/para_gru": {"width": 5},
    "sequence/s5": {"width": 5, "states": 4, "depth": 2},
    "vision/conv": {"width": 4},
    "vision/fractalnet": {"blocks": 2, "count": 3, "width": 4},
    "vision/nin": {"width": 4},
    "vision/unet": {"width": 4, "levels": 2},
}

# The sizes of these axes are multiples of something.
STEPS: Mapping[str, Mapping[str, int]] = {
    "vision/fractalnet": {"h": 4, "w": 4},
    "vision/nin": {"h": 8, "w": 8},
    "operators/lsm": {"x": 2, "y": 2},
    "operators/mgno": {"h": 2, "w": 2},
    "operators/mgno_darcy": {"h": 2, "w": 2},
    "vision/unet": {"h": 4, "w": 4},
}

MADE_FOR = 4


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

    @cached_property
    def graph(self) -> archc.TypedGraph:
        return archc.graph(self.path, **self.hypers)

    @cached_property
    def text(self) -> str:
        return archc.build(self.path, **self.hypers)

    @cached_property
    def type(self) -> type[nn.Module]:
        return load_module(self.text)

    @cached_property
    def asked(self) -> Mapping[str, int]:
        """The sizes that the module is made for, such as those of a bias over a grid: its constructor asks for them."""
        parameters = signature(self.type).parameters.values()
        names = [one.name for one in parameters if one.default is one.empty]
        return {name: self.steps.get(name, 1) * (MADE_FOR + number) for number, name in enumerate(names)}

    def new(self) -> nn.Module:
        """The module as its own constructor makes it."""
        return self.type(**self.asked)

    def module(self, dtype: torch.dtype = torch.float32) -> nn.Module:
        return instantiate(self.type, self.asked, dtype=dtype, seed=0)

    @property
    def open_axes(self) -> list[str]:
        """The size symbols that the inputs bring."""
        return [one.name for one in self.graph.net.symbols if one.default is None and one.name not in self.asked]

    def sizes(self, start: int) -> Mapping[str, int]:
        """Every open axis with a size of its own, from `start` on, in its steps."""
        defaults = {symbol.name: symbol.default for symbol in self.graph.net.symbols if symbol.default is not None}
        opened = {name: self.steps.get(name, 1) * (start + number) for number, name in enumerate(self.open_axes)}
        return {**defaults, **self.asked, **opened}

    def feed(self, start: int = 3, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
        """Random inputs at `sizes(start)`."""
        arrays = inputs(self.graph, self.sizes(start), seed=start).values()
        tensors = map(torch.from_numpy, arrays)
        return tuple(tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in tensors)


_net = cache(Net)


@pytest.fixture(params=NAMES)
def net(request: pytest.FixtureRequest) -> Net:
    """Each spec in turn, or those that a test names."""
    return _net(request.param)
