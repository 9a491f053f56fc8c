"""The library's blocks against torch's modules and against what their comments say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from archc.base.assets import specs_root
from archc.driver import build, check, graph
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

FILES = sorted((specs_root() / "std").glob("*.arch"))


def loaded(spec: str, **hypers: int) -> nn.Module:
    """The generated module of the spec's net `N`, in float64."""
    return instantiate(load_module(build(spec), "N"), hypers, dtype=torch.float64)


def agrees(spec: str) -> None:
    report = verify(graph(spec), build(spec), regimes=("primes", "ones"))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def close(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_library_is_clean(path: Path) -> None:
    assert [str(one) for one in check(path)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_block_says_what_it_is(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("block"):
            assert lines[number - 1].startswith("#"), line


BODIES = {
    "weight": "x |> layer(d -> d: 3)",
    "spline": "x |> layer(d -> d: 3, edge = silu >> weight + spline(grid = 4, order = 2, low = -0.5), bias = none)",
    "chebyshev": "x |> layer(d -> d: 3, edge = chebyshev(degree = 3), bias = none)",
    "norm": "x |> norm(over = d) |> layer(d -> d: 3)",
    "rms_norm": "x |> rms_norm(over = d, eps = 0.1) |> layer(d -> d: 3)",
    "prelu": "x |> prelu() |> layer(d -> d: 3)",
    "neuron": "x |> layer(d -> d: 3, neuron = prelu)",
    "mlp": "x |> mlp(d -> d: 3, width = 5, depth = 2, neuron = tanh)",
    "deep": "x |> mlp(d -> d: 3, width = 4, depth = 1)",
}


@pytest.mark.parametrize("block", BODIES)
def test_block_computes_its_formula(block: str) -> None:
    agrees(f"use std.mlp\nnet N(x: real[batch, d: 6]) -> (y: real[batch, d: 3]) {{ return {BODIES[block]} }}")


@pytest.mark.parametrize("causal", ["false", "true"])
def test_encoder_computes_its_formula(causal: str) -> None:
    agrees(
        f"""use std.attention.encoder
        net N(x: real[batch, n, d: 4]) -> (y: real[batch, n, d: 4]) {{
            return x |> encoder(heads = 2, expand = 2, causal = {causal})
        }}"""
    )


CONVOLUTION = """net N(x: real[batch, c: 2, {grid}]) -> (y: real[batch, c: 3, {result}]) {{
    let K = conv(over = ({names}), size = {size}, stride = {stride}, boundary = {boundary})
    return x |> layer(c -> c: 3, edge = K, bias = none)
}}"""
MODES = {"zero": "constant", "periodic": "circular", "reflect": "reflect", "replicate": "replicate"}


def convolution(boundary: str, size: int, stride: int, lengths: dict[str, int]) -> str:
    grid = ", ".join(f"{name}: {length}" for name, length in lengths.items())
    result = ", ".join(f"{name}: {(length - 1) // stride + 1}" for name, length in lengths.items())
    names = ", ".join(lengths)
    return CONVOLUTION.format(grid=grid, result=result, names=names, size=size, stride=stride, boundary=boundary)


@pytest.mark.parametrize("boundary", MODES)
@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (5, 1), (2, 1), (4, 3), (1, 1)])
@pytest.mark.parametrize("lengths", [{"t": 7}, {"h": 6, "w": 5}], ids=["line", "plane"])
def test_convolution_is_torchs(boundary: str, size: int, stride: int, lengths: dict[str, int]) -> None:
    module = loaded(convolution(boundary, size, stride, lengths))
    (kernel,) = module.parameters()
    # the kernel is [c in, c out, taps] or [c out, c in, taps]: sizes 2 and 3 tell
    weight = kernel if kernel.shape[0] == 3 else kernel.transpose(0, 1)
    x = drawn(4, 2, *lengths.values())
    sides = (size // 2, size - 1 - size // 2) * len(lengths)
    padded = functional.pad(x, sides, mode=MODES[boundary])
    call = functional.conv1d if len(lengths) == 1 else functional.conv2d
    wanted = call(padded, weight, stride=stride)
    close(module(x), wanted)


@pytest.mark.parametrize("boundary", MODES)
def test_convolution_computes_its_formula(boundary: str) -> None:
    agrees(convolution(boundary, 3, 2, {"h": 5, "w": 4}))


def test_norms_are_torchs() -> None:
    x = drawn(3, 5, 4)
    layer_norm = loaded("net N(x: real[batch, n, d: 4]) -> (y: real[batch, n, d: 4]) { return x |> norm(over = d) }")
    close(layer_norm(x), functional.layer_norm(x, (4,)))
    whole = loaded(
        "net N(x: real[batch, n: 5, d: 4]) -> (y: real[batch, n: 5, d: 4]) { return x |> norm(over = (n, d)) }"
    )
    close(whole(x), functional.layer_norm(x, (5, 4)))
    rms = loaded("net N(x: real[batch, n, d: 4]) -> (y: real[batch, n, d: 4]) { return x |> rms_norm(over = d) }")
    close(rms(x), functional.rms_norm(x, (4,), eps=1e-5))


def test_prelu_is_torchs() -> None:
    module = loaded("net N(x: real[n]) -> (y: real[n]) { return x |> prelu() }")
    x = drawn(20)
    close(module(x), functional.prelu(x, torch.tensor([0.25], dtype=torch.float64)))


def test_mlp_has_depth_hidden_layers() -> None:
    spec = """use std.mlp
    net N(x: real[batch, d: 6]) -> (y: real[batch, p: 2]) { return x |> mlp(d -> p: 2, width = 5, depth = 3) }"""
    shapes = sorted(tuple(sorted(p.shape)) for p in loaded(spec).parameters() if p.dim() > 1)
    assert shapes == [(2, 5), (5, 5), (5, 5), (5, 6)]


ENCODER = """use std.attention.encoder
net N(x: real[batch, n, d: 8]) -> (y: real[batch, n, d: 8]) {
    return x |> encoder(heads = 2, expand = 4, causal = CAUSAL)
}"""


@pytest.mark.parametrize("causal", [False, True])
def test_encoder_is_torchs(causal: bool) -> None:
    """With torch's weights copied over, by the order in which both declare them."""
    theirs = nn.TransformerEncoderLayer(8, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True, dtype=torch.float64)
    for number, parameter in enumerate(theirs.parameters()):
        parameter.data = 0.3 * drawn(*parameter.shape, seed=number) + (1.0 if parameter.dim() == 1 else 0.0)
    ours = loaded(ENCODER.replace("CAUSAL", "true" if causal else "false"))
    copied(ours, theirs)
    x = drawn(3, 5, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64) if causal else None
    close(ours(x), theirs(x, src_mask=mask, is_causal=causal))


def copied(ours: nn.Module, theirs: nn.TransformerEncoderLayer) -> None:
    """Give our encoder torch's weights. Ours are a weight and a bias per layer, in the order of the spec."""
    attention = theirs.self_attn
    weights = [
        *attention.in_proj_weight.chunk(3),
        attention.out_proj.weight,
        theirs.linear1.weight,
        theirs.linear2.weight,
    ]
    biases = [*attention.in_proj_bias.chunk(3), attention.out_proj.bias, theirs.linear1.bias, theirs.linear2.bias]
    state: dict[str, Any] = {name: parameter for name, parameter in ours.named_parameters() if "norm" not in name}
    names = list(state)
    for name, parameter in ours.named_parameters():
        if "norm" in name:
            source = theirs.norm1 if "norm." in name else theirs.norm2
            parameter.data = (source.weight if "gain" in name else source.bias).data
    by_layer = [name for name in names if "weight" in name], [name for name in names if "bias" in name]
    for group, values in zip(by_layer, (weights, biases), strict=True):
        ordered = [*(n for n in group if "attention" in n), *(n for n in group if "attention" not in n)]
        for name, value in zip(ordered, values, strict=True):
            state[name].data = value.data.reshape(state[name].shape)
