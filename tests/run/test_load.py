"""Generated texts become modules of their own."""

from __future__ import annotations

import traceback

import pytest
import torch

import archc
from archc.run.load import LoadError, instantiate, load_module

TEXT = """
import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, d: int, width: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, d).normal_())
        self.register_buffer("grid", torch.linspace(0, 1, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.absent


class Other:
    pass
"""


def test_sizes_reach_the_constructor() -> None:
    module = instantiate(load_module(TEXT, "Net"), {"d": 2, "width": 5, "batch": 7})
    assert module.get_parameter("weight").shape == (5, 2)


def test_a_missing_size_is_named() -> None:
    with pytest.raises(LoadError, match="Net asks for d"):
        instantiate(load_module(TEXT, "Net"), {"width": 5})


@pytest.mark.parametrize("name", ["Nothing", "Other", "torch"])
def test_a_text_without_the_module(name: str) -> None:
    with pytest.raises(LoadError, match=name):
        load_module(TEXT, name)


@pytest.mark.parametrize("condition", ["n == 4", "n == 2 * m", "n == k", "n > 2"])
def test_a_size_that_no_part_of_the_module_needs_is_not_asked_for(condition: str) -> None:
    ports = "(k = 4) (x: real[b, n], w: real[m]) -> (y: real[b, n])"
    text = f"net A {ports} where {condition} {{ return 2 * x + (sum m: w) }}"
    module = archc.load(text)
    assert module(torch.ones(3, 4), torch.ones(2)).shape == (3, 4)


def test_tracebacks_show_the_generated_line() -> None:
    module = instantiate(load_module(TEXT, "Net"), {"d": 2})
    with pytest.raises(AttributeError) as caught:
        module(torch.ones(2))
    assert "return x @ self.absent" in "".join(traceback.format_exception(caught.value))


def test_torch_is_left_as_it_was() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    module = instantiate(load_module(TEXT, "Net"), {"d": 2}, dtype=torch.float64, seed=1)
    assert torch.equal(torch.rand(1), wanted)
    assert torch.get_default_dtype() == torch.float32
    assert module.get_parameter("weight").dtype == torch.float64
    again = instantiate(load_module(TEXT, "Net"), {"d": 2}, dtype=torch.float64, seed=1)
    assert torch.equal(module.get_parameter("weight"), again.get_parameter("weight"))
