"""Edges over grids, transposed and strided, against sums written out entry by entry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from archc.driver import build, graph
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

Array = NDArray[np.float64]
BOUNDARIES = ("zero", "periodic", "reflect")
SHAPES = ((4, 2), (3, 2), (2, 2), (5, 2), (7, 3), (3, 3), (3, 1), (2, 1))


def spec(edge: str, out: str, over: str = "h, w") -> str:
    sizes = ", ".join(f"{axis}: {out.replace('n', axis)}" for axis in over.split(", "))
    return f"""net N (x: real[batch, c: 2, {over}]) -> (y: real[batch, c: 3, {sizes}]) {{
        return x |> layer(c -> c: 3, edge = {edge}, bias = none)
    }}"""


def loaded(text: str) -> nn.Module:
    return instantiate(load_module(build(text), "N"), {}, dtype=torch.float64)


def agrees(text: str) -> None:
    report = verify(graph(text), build(text), regimes=("primes", "ones"))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


def drawn(*shape: int) -> Tensor:
    return torch.tensor(np.random.default_rng(7).standard_normal(shape))


def entry(x: Array, place: int, boundary: str) -> Array:
    """x at a place on its last axis, which may lie beyond the axis."""
    size = x.shape[-1]
    if 0 <= place < size:
        return x[..., place]
    if boundary == "zero":
        return np.zeros(x.shape[:-1])
    if boundary == "periodic":
        return x[..., place % size]
    # there and back again, without the two ends twice
    path = [*range(size), *range(size - 2, 0, -1)]
    return x[..., path[place % len(path)]]


def transposed(x: Array, kernel: Array, stride: int, boundary: str) -> Array:
    """Every entry of x, and of what stands beyond its border, times the kernel, added at `stride` times its place."""
    size, reach = x.shape[-1], kernel.shape[-1]
    found = np.zeros((x.shape[0], kernel.shape[0], stride * size))
    for place, tap in product(range(-reach, size + reach), range(reach)):
        target = stride * place + tap - (reach - stride + 1) // 2
        if 0 <= target < stride * size:
            found[..., target] += entry(x, place, boundary) @ kernel[..., tap].T
    return found


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("size", "stride"), SHAPES)
def test_conv_transpose(size: int, stride: int, boundary: str) -> None:
    edge = f"conv_transpose(over = h, size = {size}, stride = {stride}, boundary = {boundary})"
    net, x = loaded(spec(edge, f"{stride} * n", "h")), drawn(2, 2, 4)
    wanted = transposed(x.numpy(), net.get_parameter("y_kernel").detach().numpy(), stride, boundary)
    np.testing.assert_allclose(net(x).detach().numpy(), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_conv_transpose_agrees(boundary: str) -> None:
    agrees(spec(f"conv_transpose(over = (h, w), boundary = {boundary})", "2 * n"))


@pytest.mark.parametrize(("over", "rank"), [("h", 1), ("h, w", 2), ("h, w, d", 3)])
def test_conv_transpose_is_torchs(over: str, rank: int) -> None:
    text = spec(f"conv_transpose(over = ({over}))", "2 * n", over)
    net, x = loaded(text), drawn(2, 2, *range(3, 3 + rank))
    function = getattr(functional, f"conv_transpose{rank}d")
    wanted = function(x, net.get_parameter("y_kernel").transpose(0, 1), stride=2, padding=1)
    torch.testing.assert_close(net(x), wanted, rtol=0, atol=0)
    # nothing but the one call: channels that lie last in memory stay there
    assert build(text).count(f"F.conv_transpose{rank}d(") == 1
    assert not any(word in build(text) for word in ("einsum", "permute", "movedim", "F.pad"))


@pytest.mark.parametrize("boundary", ["zero", "periodic"])
def test_conv_transpose_is_the_adjoint_of_conv(boundary: str) -> None:
    """<conv x, y> = <x, conv_transpose y> for one kernel with its channels exchanged."""
    down = loaded(f"""net N (x: real[batch, c: 2, h]) -> (y: real[batch, c: 3, h: (h - 1) // 2 + 1]) {{
        return x |> layer(c -> c: 3, edge = conv(over = h, stride = 2, boundary = {boundary}), bias = none)
    }}""")
    up = loaded(f"""net N (x: real[batch, c: 3, h]) -> (y: real[batch, c: 2, h: 2 * h]) {{
        return x |> layer(c -> c: 2, edge = conv_transpose(over = h, size = 3, boundary = {boundary}), bias = none)
    }}""")
    with torch.no_grad():
        up.get_parameter("y_kernel").copy_(down.get_parameter("y_kernel").transpose(0, 1))
    x, y = drawn(1, 2, 8), drawn(1, 3, 4)
    torch.testing.assert_close((down(x) * y).sum(), (x * up(y)).sum(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", [*BOUNDARIES, "replicate"])
def test_strided_conv_is_one_call(boundary: str) -> None:
    """Whatever stands beyond the border, the sum over taps is a convolution of the extended grid."""
    text = spec(f"conv(over = (h, w), stride = 2, boundary = {boundary})", "(n - 1) // 2 + 1")
    net, x = loaded(text), drawn(2, 2, 5, 8)
    mode = {"zero": "constant", "periodic": "circular"}.get(boundary, boundary)
    padded = functional.pad(x, (1, 1, 1, 1), mode=mode)
    wanted = functional.conv2d(padded, net.get_parameter("y_kernel"), stride=2)
    torch.testing.assert_close(net(x), wanted, rtol=1e-12, atol=1e-12)
    assert build(text).count("F.conv2d(") == 1
    assert "einsum" not in build(text)
    agrees(text)


def test_a_filter_of_the_past_is_one_call() -> None:
    """sum over t of k[t] * x[h - t] runs against its taps: a transposed convolution of stride 1, cut off."""
    text = """net N (x: real[batch, h]) -> (y: real[batch, h]) {
        param k: real[t: 4]
        let y[batch, h] = sum t: k * x[h: h - 2 * t else 0]
        return y
    }"""
    net, x = loaded(text), drawn(2, 9)
    k = net.get_parameter("k")
    wanted = [sum((k[t] * x[:, h - 2 * t] for t in range(4) if h >= 2 * t), torch.zeros(2)) for h in range(9)]
    torch.testing.assert_close(net(x), torch.stack(wanted, 1), rtol=1e-12, atol=1e-12)
    assert build(text).count("F.conv_transpose1d(") == 1
    agrees(text)


@pytest.mark.parametrize("delay", [1, 3, 12, -2])
def test_a_late_filter_may_see_nothing_yet(delay: int) -> None:
    """Where the delay may be longer than the axis, no cut of a convolution would be right."""
    text = f"""net N (x: real[batch, h]) -> (y: real[batch, h]) {{
        param k: real[t: 3]
        let y[batch, h] = sum t: k * x[h: h - t - {delay} else 0]
        return y
    }}""".replace("- -", "+ ")
    net, x = loaded(text), drawn(2, 9)
    k = net.get_parameter("k")
    seen = [[(t, h - t - delay) for t in range(3) if 0 <= h - t - delay < 9] for h in range(9)]
    wanted = [sum((k[t] * x[:, at] for t, at in one), torch.zeros(2)) for one in seen]
    torch.testing.assert_close(net(x), torch.stack(wanted, 1), rtol=1e-12, atol=1e-12, check_dtype=False)
    agrees(text)


def test_a_sum_over_every_other_entry_keeps_its_condition() -> None:
    """A congruence that no window explains is a mask."""
    text = """net N (x: real[batch, h, w]) -> (y: real[batch, h]) {
        let y[batch, h] = sum w where (h + w) % 3 == 0: 2 * x
        return y
    }"""
    x = drawn(2, 4, 5)
    h, w = np.indices((4, 5))
    wanted = 2 * (x.numpy() * ((h + w) % 3 == 0)).sum(-1)
    np.testing.assert_allclose(loaded(text)(x).numpy(), wanted, rtol=1e-12)
    agrees(text)
