"""Indices that are views: strides, and axes as the digits of one position. They export with every axis dynamic."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from torch.export import Dim, export

import archc
from archc.run.feed import inputs as feed

STRIDES = {
    "x[:, :-1:2]": "size(h) // 2] = x[h: 2 * h]",
    "x[:, 1::2]": "size(h) // 2] = x[h: 2 * h + 1]",
    "x[:, ::2]": "(size(h) + 1) // 2] = x[h: 2 * h]",
    "x[:, :-2:3]": "size(h) // 3] = x[h: 3 * h]",
    "x[:, 1:-1:3]": "size(h) // 3] = x[h: 3 * h + 1]",
    "x[:, :-3:4]": "size(h) // 4] = x[h: 4 * h]",
}

DIGITS = {
    "x.flatten(1)": "net A (x: real[b, n, m]) -> (y: real[b, k: n * m])"
    " { let y[b, k: n * m] = x[n: k // size(m), m: k % size(m)]  return y }",
    "x.mT.flatten(1)": "net A (x: real[b, n, m]) -> (y: real[b, k: n * m])"
    " { let y[b, k: n * m] = x[m: k // size(n), n: k % size(n)]  return y }",
    "x.flatten(-3)": "net A (x: real[b, n, m, p]) -> (y: real[b, k: n * m * p])"
    " { let y[b, k: n * m * p] = x[n: k // (size(m) * size(p)), m: k // size(p) % size(m), p: k % size(p)]  return y }",
    "x.unflatten(-1, (n, m))": "net A (x: real[b, k: n * m], z: real[n], w: real[m]) -> (y: real[b, n, m])"
    " { let y[b, n, m] = x[k: n * size(m) + m] + 0 * z * w  return y }",
}


def strided(index: str) -> str:
    head, value = index.split(" = ")
    count = head.removesuffix("]")
    return f"net A (x: real[b, h]) -> (y: real[b, h: {count}]) {{ let y[b, h: {count}] = {value}  return y }}"


def assert_exported(module: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> None:
    shapes = {name: dict.fromkeys(range(one.dim()), Dim.DYNAMIC) for name, one in inputs.items()}
    exported = export(module, tuple(inputs.values()), dynamic_shapes=shapes).module()
    assert torch.equal(exported(*inputs.values()), module(*inputs.values()))


@pytest.mark.parametrize(("text", "index"), STRIDES.items(), ids=STRIDES)
def test_a_stride_is_a_slice_for_every_size(text: str, index: str) -> None:
    spec = strided(index)
    assert f"return {text}  #" in archc.build(spec)
    module, meaning = archc.load(spec), archc.reference(archc.graph(spec))
    for size in range(10):
        x = np.arange(2.0 * size).reshape(2, size)
        if size >= 4:
            assert np.array_equal(module(torch.from_numpy(x)).numpy(), meaning({"x": x}, {})["y"])
        assert module(torch.from_numpy(x)).shape[1] == len(range(size)[_slice(text)])


def _slice(text: str) -> slice:
    parts = text.removeprefix("x[:, ").removesuffix("]").split(":")
    return slice(*(int(part) if part else None for part in parts))


@pytest.mark.parametrize("index", STRIDES.values(), ids=STRIDES)
def test_a_stride_exports_with_the_axis_dynamic(index: str) -> None:
    module = archc.load(strided(index))
    h = Dim("h", min=8)
    exported = export(module, (torch.randn(3, 17),), dynamic_shapes={"x": {0: Dim("b"), 1: h}}).module()
    for size in range(8, 14):
        x = torch.randn(3, size)
        assert torch.equal(exported(x), module(x))


@pytest.mark.parametrize(("text", "spec"), DIGITS.items(), ids=DIGITS)
def test_digits_of_a_position_are_one_axis(text: str, spec: str) -> None:
    assert f"return {text}" in archc.build(spec)
    sizes = {"b": 2, "n": 3, "m": 4, "p": 5}
    arrays = feed(archc.graph(spec), sizes, seed=1)
    inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
    module = archc.load(spec)
    assert np.array_equal(module(*inputs.values()).numpy(), archc.reference(archc.graph(spec))(arrays, {})["y"])
    assert_exported(module, inputs)


def test_some_of_the_digits_are_no_axis() -> None:
    spec = "net A (x: real[n: 4, m: 3]) -> (y: real[k: 6]) { let y[k: 6] = x[n: k // 3, m: k % 3]  return y }"
    assert "flatten" not in archc.build(spec)
    x = np.arange(12.0).reshape(4, 3)
    assert np.array_equal(archc.load(spec)(torch.from_numpy(x)).numpy(), x.reshape(-1)[:6])


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a compiler")
def test_remainders_of_products_of_positions_survive_inductor() -> None:
    """torch 2.13 takes `(4 * i * j + 12) % 48` for 12 where it works out all of it."""
    module = archc.load("""net A (x: real[i, j]) -> (y: real[i, j], z: real[i, j], w: real[i, j]) {
        let y[i, j] = x * ((4 * i * j + size(i)) % (4 * size(i)))
        let z[i, j] = x[i: (i * j + 5) % size(i), j: (i * j + 7) % size(j)]
        let w[i, j] = x * ((i^2 + 3 * j + 5) // 7 % 12)
        return y, z, w
    }""")
    compiled, x = torch.compile(module, fullgraph=True), torch.rand(12, 12)
    for one, other in zip(compiled(x), module(x), strict=True):
        torch.testing.assert_close(one, other)
