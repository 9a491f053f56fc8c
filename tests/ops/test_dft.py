"""Transforms of all frequencies, in the real arithmetic of compiled code and as torch.fft does them, against NumPy."""

from __future__ import annotations

import math
import shutil
import warnings
from collections import abc
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from archc.driver import build
from archc.ops.dft import FFTN, IFFTN, IRFFTN, RFFTN
from archc.ops.operation import Routine
from tests.ops.test_std import drawn, loaded

COMPILER = pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a compiler")
LENGTHS = [1, 2, 3, 4, 5, 8, 12, 13, 64, 97, 100, 128, 131, 134]
SHAPES = [*((n,) for n in LENGTHS), *zip(LENGTHS, reversed(LENGTHS), strict=True)]

FORWARD = "net N(z: real[n, t: 72, part: 2]) -> (y: real[n, k: 72, part: 2]) { return fft(z, t -> k, axis = part) }"
THERE_AND_BACK = """
net N(x: real[batch, t]) -> (y: real[batch, t]) {
    let z = rfft(x, t -> k, axis = part)
    return irfft(z / (1 + z ^ 2), k -> t: size(t), axis = part)
}
"""


def functions(routines: tuple[Routine, ...] = (FFTN, IFFTN, RFFTN, IRFFTN)) -> dict[str, Any]:
    """The routines by name, and those that they need."""
    space: dict[str, Any] = {"torch": torch, "F": functional, "Tensor": Tensor, "abc": abc, "math": math}
    for one in routines:
        space |= functions(one.needs)
        exec(one.text, space)
    return space


@pytest.fixture(params=[False, True], ids=["eager", "compiled"])
def transforms(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The functions by name, which believe that they are compiled or not."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: request.param)
    return functions()


def pairs(z: np.ndarray) -> Tensor:
    return torch.view_as_real(torch.from_numpy(z))


def near(found: Tensor, wanted: Tensor) -> None:
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12 * max(1.0, float(wanted.abs().max())))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_agrees_with_numpy(shape: tuple[int, ...], transforms: dict[str, Any]) -> None:
    z = drawn(2, *shape, 3, 2)
    numbers = torch.view_as_complex(z.contiguous()).numpy()
    dims = tuple(range(-1 - len(shape), -1))
    near(transforms["_fftn"](z, dims), pairs(np.fft.fftn(numbers, axes=dims)))
    near(transforms["_ifftn"](z, dims), pairs(np.fft.ifftn(numbers, axes=dims)))
    near(transforms["_rfftn"](z[..., 0], dims), pairs(np.fft.rfftn(numbers.real, axes=dims)))
    count = shape[-1] // 2 + 1
    half = z.narrow(-3, 0, count)
    # the imaginary parts that a real signal cannot have are among them, and count for nothing
    wanted = np.fft.irfftn(torch.view_as_complex(half.contiguous()).numpy(), s=shape, axes=dims)
    near(transforms["_irfftn"](half, shape, dims), torch.from_numpy(wanted))


def test_long_lengths_lose_no_digits(transforms: dict[str, Any]) -> None:
    """8190 takes factors of factors, 4099 is prime; a part of a turn would be lost at k t = 16 million."""
    for n in (8190, 4099):
        x = drawn(n)
        near(transforms["_rfftn"](x, (-1,)), pairs(np.fft.rfft(x.numpy())))
        near(transforms["_irfftn"](transforms["_rfftn"](x, (-1,)), (n,), (-1,)), x)


def test_single_precision_stays_single(transforms: dict[str, Any]) -> None:
    z = drawn(4, 1000, 2).float()
    found = transforms["_fftn"](z, (-1,))
    wanted = pairs(np.fft.fft(torch.view_as_complex(z.double()).numpy()))
    assert found.dtype == torch.float32
    assert (found - wanted).norm() < 1e-6 * wanted.norm()


@pytest.mark.parametrize("n", [1, 12, 67, 96, 131])
def test_gradients_are_those_of_torch(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    space = functions()
    x, z = drawn(2, n).requires_grad_(), drawn(2, n // 2 + 1, 2).requires_grad_()
    found = []
    for compiling in (False, True):
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda value=compiling: value)
        there, back = space["_rfftn"](x, (-1,)), space["_irfftn"](z, (n,), (-1,))
        found.append(torch.autograd.grad(there.sin().sum() + back.sin().sum(), (x, z)))
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-9)


@COMPILER
@pytest.mark.parametrize("text", [FORWARD, THERE_AND_BACK], ids=["fft", "rfft and irfft"])
def test_inductor_compiles_without_a_warning(text: str) -> None:
    torch.compiler.reset()
    net, shape = loaded(text), (2, 72, 2) if text == FORWARD else (2, 72)
    x = drawn(*shape).requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # of torch's own modules, as they are first imported
        warnings.simplefilter("ignore", DeprecationWarning)
        found = torch.compile(net, fullgraph=True)(x)
        (slope,) = torch.autograd.grad(found.square().sum(), x)
    wanted = net(x)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(slope, *torch.autograd.grad(wanted.square().sum(), x))


def test_compiled_code_follows_the_length() -> None:
    torch.compiler.reset()
    net = loaded(THERE_AND_BACK)
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    for n in (12, 70, 71, 3):
        x = drawn(2, n)
        torch.testing.assert_close(compiled(x), net(x))


@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_the_length_open(strict: bool) -> None:
    net = loaded(THERE_AND_BACK)
    shapes = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("t")},)
    exported = torch.export.export(net, (drawn(3, 12),), dynamic_shapes=shapes, strict=strict).module()
    for n in (12, 7, 30):
        x = drawn(2, n)
        torch.testing.assert_close(exported(x), net(x))


def test_compiled_transforms_keep_their_precision_under_autocast() -> None:
    torch.compiler.reset()
    net, x = loaded(THERE_AND_BACK).float(), drawn(2, 12).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = torch.compile(net, fullgraph=True, backend="aot_eager")(x)
    torch.testing.assert_close(found, net(x))


def test_a_module_without_transforms_has_no_routines() -> None:
    low = "net N(x: real[t: 9]) -> (y: real[k: 3, part: 2]) { return rfft(x, t -> k, axis = part, modes = 3) }"
    assert "_dft" not in build(low)
    assert build(THERE_AND_BACK).count("def _dft(") == 1
