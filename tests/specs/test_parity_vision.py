"""Convolutional classics written out, with the same parameters, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import archc
from archc.run.load import load_module
from tests.specs.conftest import ROOT
from tests.specs.test_parity import close, drawn, fill, loaded


def test_network_in_network_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        ours = load_module(archc.build(ROOT / "vision/nin.arch"), "NIN")()
    assert sum(parameter.numel() for parameter in ours.parameters()) == 966_986


def test_network_in_network() -> None:
    """The net of the paper's Caffe model for CIFAR-10, without dropout."""
    ours = loaded(ROOT / "vision/nin.arch", width=5)
    stages: list[nn.Module] = []
    pools = [nn.MaxPool2d(3, 2), nn.AvgPool2d(3, 2), nn.AdaptiveAvgPool2d(1)]
    for block, pool, size in zip(ours.children(), pools, (5, 5, 3), strict=True):
        for kernel, name in ((size, "layer_kernel"), (1, "layer_2_weight"), (1, "y_weight")):
            weight = getattr(block, name)
            stages += [nn.Conv2d(*weight.shape[1::-1], kernel, padding=kernel // 2, dtype=torch.float64), nn.ReLU()]
            fill(stages[-2], weight, getattr(block, f"{name.rpartition('_')[0]}_bias"))
        stages.append(pool)
    x = drawn(2, 3, 32, 32)
    close(ours(x), nn.Sequential(*stages, nn.Flatten())(x))


def test_digits_is_two_convolutions_and_a_dense_layer() -> None:
    ours = loaded(ROOT / "vision/digits.arch", width=5)
    theirs = nn.Sequential(
        nn.Conv2d(1, 5, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(5, 10, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(10, 10),
    ).double()
    for stage, name in ((0, "layer_kernel"), (3, "layer_2_kernel"), (7, "logits_weight")):
        fill(theirs[stage], getattr(ours, name), getattr(ours, f"{name.rpartition('_')[0]}_bias"))
    x = drawn(4, 1, 8, 8)
    close(ours(x), theirs(x))
    assert sum(one.numel() for one in ours.parameters()) == sum(one.numel() for one in theirs.parameters())


def columns(ours: nn.Module, x: Tensor) -> list[Tensor]:
    """The ends of the columns of a fractal, the shallowest first; those of its first half meet in a mean."""
    short = functional.conv2d(x, ours.short_kernel, ours.short_bias, padding=1).relu()
    halves = list(ours.children())
    if not halves:
        return [short]
    first, second = halves
    return [short, *columns(second, torch.stack(columns(first, x)).mean(0))]


@pytest.mark.parametrize(("blocks", "count"), [(1, 1), (2, 3), (1, 4)])
def test_fractalnet(blocks: int, count: int) -> None:
    ours = loaded(ROOT / "vision/fractalnet.arch", blocks=blocks, count=count, width=2)
    x = drawn(2, 3, 8, 12)
    (stage,) = ours.children()
    h: Tensor = x
    for _ in range(blocks):
        fractal, *deeper = stage.children()
        ends = columns(fractal, h)
        assert len(ends) == count
        h = functional.max_pool2d(torch.stack(ends).mean(0), 2)
        (stage,) = deeper or (None,)
    close(ours(x), functional.linear(h.mean((2, 3)), ours.y_weight, ours.y_bias))


@pytest.mark.parametrize(("blocks", "count"), [(1, 3), (2, 2), (3, 1)])
def test_fractalnet_is_as_deep_as_its_longest_column(blocks: int, count: int) -> None:
    """With every kernel t times the identity and no bias the output is a polynomial in t of degree B * 2^(C - 1)."""
    ours = loaded(ROOT / "vision/fractalnet.arch", blocks=blocks, count=count, width=1)
    side, depth = 2**blocks, blocks * 2 ** (count - 1)
    points = np.arange(1, depth + 3)
    found = []
    for t in points:
        with torch.no_grad():
            for name, parameter in ours.named_parameters():
                parameter.zero_()
                if name.endswith("kernel"):
                    parameter[0, 0, 1, 1] = int(t)
                elif name == "y_weight":
                    parameter[0] = 1
        x = torch.ones(1, 3, side, side, dtype=torch.float64)
        found.append(ours(x)[0, 0].item())
    differences = [np.diff(found, n=order)[0] for order in (depth, depth + 1)]
    assert differences[0] > 1e-3
    assert abs(differences[1]) < 1e-6 * differences[0]
