"""Linear recurrences by prefixes: the loop they stand for, at lengths known and unknown when torch sees the module."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archc.driver import build
from archc.ops.joined import JOINED, MATRIX_RECURRENCE, SMALL_MATRIX_RECURRENCE
from archc.ops.operation import Routine
from archc.run.load import instantiate, load_module

REAL = """net N(a: real[t, d], b: real[batch, t, d]) -> (y: real[batch, t, d]) {
    return linear_recurrence(a, b, over = t)
}"""
COMPLEX = """net N(a: real[t, d, c: 2], b: real[batch, t, d, c: 2], h: real[d, c: 2]) -> (y: real[batch, t, d, c: 2]) {
    return linear_recurrence(a, b, h, over = t, parts = c)
}"""


def loaded(spec: str) -> nn.Module:
    return instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64)


def drawn(length: int, *, batch: int = 3, width: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(length)
    a = 1.2 * torch.rand(length, width, generator=generator, dtype=torch.float64)
    return a, torch.randn(batch, length, width, generator=generator, dtype=torch.float64)


def loop(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """The definition: a [t, d], b [batch, t, d], h [d]."""
    found = []
    for t in range(b.shape[1]):
        h = a[t] * h + b[:, t]
        found.append(h)
    return torch.stack(found, 1)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 13, 64, 1024])
def test_is_the_loop(length: int) -> None:
    a, b = (tensor.requires_grad_() for tensor in drawn(length))
    found, wanted = loaded(REAL)(a, b), loop(a, b, torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-11)
    weight = torch.randn_like(wanted) / wanted.detach().abs().max()
    ours, theirs = (
        torch.autograd.grad((one * weight).sum(), (a, b), materialize_grads=True) for one in (found, wanted)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("length", [1, 6, 33])
def test_is_the_complex_loop(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    shapes = (length, 2, 2), (3, length, 2, 2), (2, 2)
    a, b, h = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    wanted = loop(torch.view_as_complex(a), torch.view_as_complex(b), torch.view_as_complex(h))
    torch.testing.assert_close(loaded(COMPLEX)(a, b, h), torch.view_as_real(wanted), rtol=1e-10, atol=1e-10)


def test_compiles_for_every_length() -> None:
    module = loaded(REAL)
    compiled = torch.compile(module, fullgraph=True, dynamic=True, backend="aot_eager")
    for length in (5, 8, 7, 33):
        torch.testing.assert_close(compiled(*drawn(length)), module(*drawn(length)))


@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_a_length_that_is_open(strict: bool) -> None:
    module = loaded(REAL)
    t, batch, d = (torch.export.Dim(name) for name in ("t", "batch", "d"))
    shapes = {0: t, 1: d}, {0: batch, 1: t, 2: d}
    exported = torch.export.export(module, drawn(5), dynamic_shapes=shapes, strict=strict).module()
    for length, batch_size, width in ((1, 1, 1), (2, 3, 2), (33, 2, 4)):
        inputs = drawn(length, batch=batch_size, width=width)
        torch.testing.assert_close(exported(*inputs), module(*inputs), rtol=1e-11, atol=1e-11)


def test_routines_are_written_as_the_rest(tmp_path: Path) -> None:
    for name, spec in (("real", REAL), ("complex", COMPLEX)):
        (tmp_path / f"{name}.py").write_text(build(spec), encoding="utf-8")
    for command in (["format", "--diff"], ["check", "--select", "E,F,I,W"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", tmp_path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_a_module_has_its_routines_once() -> None:
    text = build(
        """block twice(over: axes) (a: real[over], b: real[over]) -> (y: real[over]) {
            return linear_recurrence(a, linear_recurrence(a, b, over = over), over = over)
        }
        net N(a: real[t], b: real[t]) -> (y: real[t]) {
            return linear_recurrence(a, twice(a, b, over = t), over = t)
        }"""
    )
    assert text.count(" _recurrence(") == 4
    assert [text.count(f"def {name}(") for name in ("_joined", "_recurrence", "_complex_recurrence")] == [1, 1, 0]


def test_a_module_without_recurrences_has_no_routines() -> None:
    text = build("net N(x: real[t]) -> (y: real[t]) { return cumsum(x, over = t) }")
    assert "_joined" not in text
    assert "Callable" not in text


def function(routine: Routine) -> Callable[..., Tensor]:
    """The routine itself."""
    space: dict[str, Any] = {"torch": torch, "Tensor": Tensor, "Callable": Callable, "Sequence": Sequence}
    for one in (JOINED, routine):
        exec(one.text, space)
    found: Callable[..., Tensor] = space[routine.name]
    return found


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 12])
@pytest.mark.parametrize("lasting", [False, True], ids=["each its own", "the same everywhere"])
@pytest.mark.parametrize("routine", [MATRIX_RECURRENCE, SMALL_MATRIX_RECURRENCE], ids=lambda routine: routine.name)
def test_joins_matrices_in_order(routine: Routine, lasting: bool, length: int) -> None:
    """Matrices do not commute, so that nothing may change places."""
    generator = torch.Generator().manual_seed(length)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    a, b, start = drawn(2, 1 if lasting else length, 3, 3), drawn(2, length, 3, 4), drawn(2, 3, 4)
    h, wanted = start, [b[:, :0]]
    for t in range(length):
        h = a[:, 0 if lasting else t] @ h + b[:, t]
        wanted.append(h.unsqueeze(1))
    found, expected = function(routine)(a, b, -3, start), torch.cat(wanted, 1)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    if length:
        gradients = [torch.autograd.grad(one.square().sum(), (a, b, start)) for one in (found, expected)]
        torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-8)
