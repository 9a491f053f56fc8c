"""MgNO keeps its channels last in memory, where convolutions are quickest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import archc
from archc.run.load import instantiate, load_module
from tests.specs.conftest import ROOT

BATCH = 3


class Layouts(TorchDispatchMode):
    """Whether each operation from fields of several channels to such leaves the channels last in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: object, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if _is_field(found) and _is_field(args[0]):
            self.found.append((str(func), found.is_contiguous(memory_format=torch.channels_last)))
        return found


def _is_field(value: object) -> bool:
    return isinstance(value, Tensor) and value.dim() == 4 and value.shape[0] == BATCH and value.shape[1] > 1


@pytest.mark.parametrize("name", ["mgno", "mgno_darcy"])
def test_channels_stay_last(name: str) -> None:
    """After `to(memory_format=torch.channels_last)` every operation is one on channels that lie last."""
    text = archc.build(ROOT / "operators" / f"{name}.arch", width=16, levels=3)
    type = load_module(text, "MgNO" if name == "mgno" else "MgNODarcy")
    net = instantiate(type, {"h": 16, "w": 16} if name == "mgno" else {}, dtype=torch.float32)
    net = net.to(memory_format=torch.channels_last)
    a = torch.randn(BATCH, 1, 16, 16)
    with torch.no_grad(), Layouts() as layouts:
        net(a)
    convolutions = [word for word, _ in layouts.found if word == "aten.convolution.default"]
    assert len(convolutions) > 20
    assert [word for word, is_last in layouts.found if not is_last] == []
