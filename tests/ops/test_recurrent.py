"""The library's recurrent blocks against torch's modules and against their recurrences written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tests.ops.test_std import agrees, close, drawn, loaded

Complex = NDArray[np.complex128]
Tensors = tuple[Tensor, ...]

LSTM = """use std.lstm
net N (x: real[a, batch, t, d: 3]GIVEN)
        -> (y: real[a, batch, t, k: 4], h: real[a, batch, k: 4], c: real[a, batch, k: 4]) {
    let (y, state) = x |> lstm(over = t, d -> k: 4START)
    let (h, c) = state
    return y, h, c
}"""
ONE_STATE = """use std.BLOCK
net N (x: real[a, batch, t, d: 3]GIVEN) -> (y: real[a, batch, t, k: 4], h: real[a, batch, k: 4]) {
    return x |> BLOCK(over = t, d -> k: 4START)
}"""


# The tensor of torch's that a parameter of ours stands for.
SOURCES = {
    "read_weight": "weight_ih_l0",
    "read_bias": "bias_ih_l0",
    "layer_weight": "weight_hh_l0",
    "own_weight": "weight_hh_l0",
    "own_bias": "bias_hh_l0",
}


def filled(theirs: nn.RNNBase, ours: nn.Module) -> None:
    """Give our block the weights of torch's, whose two biases add up where one reads the state's."""
    parameters = {name.rpartition(".")[2]: parameter for name, parameter in ours.named_parameters()}
    for number, parameter in enumerate(theirs.parameters()):
        parameter.data = 0.4 * drawn(*parameter.shape, seed=number)
    pairs = {name: getattr(theirs, SOURCES[name]).detach() for name in parameters}
    if "own_bias" not in pairs:
        pairs["read_bias"] = pairs["read_bias"] + theirs.bias_hh_l0.detach()
    for name, parameter in parameters.items():
        parameter.data = pairs[name].reshape(parameter.shape)


def same_gradients(ours: nn.Module, theirs: nn.RNNBase, found: Tensors, wanted: Tensors, inputs: Tensors) -> None:
    """Of the same random sum of the results by every input, and by every parameter of ours: the matrix or the bias of
    torch's that it was given, where two biases add up either of them, since both have its gradient."""
    weights = [drawn(*one.shape, seed=20 + number) for number, one in enumerate(wanted)]
    parameters = dict(ours.named_parameters())
    sources = [getattr(theirs, SOURCES[name.rpartition(".")[2]]) for name in parameters]
    slopes = [
        torch.autograd.grad(sum((one * weight).sum() for one, weight in zip(results, weights, strict=True)), leaves)
        for results, leaves in ((found, (*inputs, *parameters.values())), (wanted, (*inputs, *sources)))
    ]
    assert all(slope.abs().max() > 1e-6 for slope in slopes[1][: len(inputs)])
    for one, other in zip(*slopes, strict=True):
        close(one, other.reshape(one.shape))


@pytest.mark.parametrize("length", [1, 7])
@pytest.mark.parametrize("is_started", [False, True], ids=["from zeros", "from a state"])
def test_lstm_is_torchs(length: int, is_started: bool) -> None:
    theirs = nn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
    given = ", h: real[a, batch, k: 4], c: real[batch, k: 4]" if is_started else ""
    ours = loaded(LSTM.replace("GIVEN", given).replace("START", ", init = (h, c)" if is_started else ""))
    filled(theirs, ours)
    x, h, c = (one.requires_grad_() for one in (drawn(2, 5, length, 3), drawn(2, 5, 4, seed=1), drawn(5, 4, seed=2)))
    inputs = (x, h, c) if is_started else (x,)
    found = tuple(ours(*inputs))
    runs = [theirs(x[at], (h[at][None], c[None]) if is_started else None) for at in range(2)]
    wanted = tuple(
        torch.stack(parts) for parts in zip(*((y, last[0], cell[0]) for y, (last, cell) in runs), strict=True)
    )
    for one, other in zip(found, wanted, strict=True):
        close(one, other)
    same_gradients(ours, theirs, found, wanted, inputs)


@pytest.mark.parametrize("block", ["gru", "rnn"])
@pytest.mark.parametrize("is_started", [False, True], ids=["from zeros", "from a state"])
def test_one_state_recurrences_are_torchs(block: str, is_started: bool) -> None:
    theirs = {"gru": nn.GRU, "rnn": nn.RNN}[block](3, 4, batch_first=True, dtype=torch.float64)
    given, start = (", start: real[a, batch, k: 4]", ", init = start") if is_started else ("", "")
    ours = loaded(ONE_STATE.replace("BLOCK", block).replace("GIVEN", given).replace("START", start))
    filled(theirs, ours)
    x, h = drawn(2, 5, 7, 3).requires_grad_(), drawn(2, 5, 4, seed=1).requires_grad_()
    inputs = (x, h) if is_started else (x,)
    found = tuple(ours(*inputs))
    runs = [theirs(x[at], h[at][None] if is_started else None) for at in range(2)]
    wanted = tuple(torch.stack(parts) for parts in zip(*((y, end[0]) for y, end in runs), strict=True))
    for one, other in zip(found, wanted, strict=True):
        close(one, other)
    same_gradients(ours, theirs, found, wanted, inputs)


def test_a_state_carries_a_sequence_on() -> None:
    whole, started = (
        loaded(LSTM.replace("GIVEN", "").replace("START", "")),
        loaded(
            LSTM.replace("GIVEN", ", h: real[a, batch, k: 4], c: real[a, batch, k: 4]").replace(
                "START", ", init = (h, c)"
            )
        ),
    )
    started.load_state_dict(whole.state_dict())
    x = drawn(1, 2, 7, 3)
    _, h, c = whole(x[:, :, :3])
    for one, other in zip(started(x[:, :, 3:], h, c)[1:], whole(x)[1:], strict=True):
        close(one, other)


SPACES = {
    "lru": "x |> lru(over = t, states = 6)",
    "s4d": "x |> s4d(over = t, states = 6)",
    "s5": "x |> s5(over = t, states = 6)",
}


def space(block: str, channels: int = 3, states: int = 6) -> nn.Module:
    return loaded(
        f"""use std.state_space.{block}
        net N (x: real[batch, t, d: {channels}]) -> (y: real[batch, t, d: {channels}]) {{
            return x |> {block}(over = t, states = {states})
        }}"""
    )


def numbers(module: nn.Module) -> dict[str, NDArray[np.float64]]:
    return {name.rpartition(".")[2]: parameter.detach().numpy() for name, parameter in module.named_parameters()}


def parts(pairs: NDArray[np.float64]) -> Complex:
    return pairs[..., 0] + 1j * pairs[..., 1]


def ran(turn: Complex, drive: Complex) -> Complex:
    """h[t] = turn h[t - 1] + drive[t] along axis 1, from zeros."""
    h = np.zeros_like(drive[:, 0])
    found = []
    for step in range(drive.shape[1]):
        h = turn * h + drive[:, step]
        found.append(h)
    return np.stack(found, axis=1)


def test_lru_is_its_complex_loop() -> None:
    torch.manual_seed(0)
    ours = space("lru")
    p, x = numbers(ours), drawn(2, 9, 3)
    turn = np.exp(-np.exp(p["nu"]) + 1j * np.exp(p["theta"]))
    assert ((np.abs(turn) > 0.9) & (np.abs(turn) < 0.999)).all()
    enters = np.sqrt(1 - np.abs(turn) ** 2)[:, None] * parts(p["B"])
    h = ran(turn, x.numpy() @ enters.T)
    close(ours(x), torch.from_numpy((h @ parts(p["C"]).T).real) + ours.lru.D * x)


def test_lru_keeps_white_noise_at_variance_one() -> None:
    """Orvieto et al., section 3.4: E|h|^2 = 1 in the long run, on the mean over many states as they start."""
    torch.manual_seed(0)
    p = numbers(space("lru", 16, 400))
    turn = np.exp(-np.exp(p["nu"]) + 1j * np.exp(p["theta"]))
    noise = np.random.default_rng(0).standard_normal((1, 8000, 16)) @ parts(p["B"]).T
    h = ran(turn, noise * np.sqrt(1 - np.abs(turn) ** 2))
    assert np.mean(np.abs(h[:, 4000:]) ** 2) == pytest.approx(1, abs=0.05)


def held(p: dict[str, NDArray[np.float64]], states: int) -> tuple[Complex, Complex, NDArray[np.float64]]:
    """The poles, what they are over a step, and the step of a space held between samples."""
    poles = -np.exp(p["a"]) + 1j * (3.14159265 * np.arange(states) + p["w"])
    step = np.exp(p["pace"])
    step = step[:, None] if poles.ndim == 2 else step
    return poles, np.exp(poles * step), step


def test_s4d_is_the_convolution_with_its_kernel() -> None:
    """Gu et al., section 3.3: K[l] = 2 Re sum n: C (exp(A dt) - 1) / A exp(A dt)^l, and y = K * x + D x."""
    torch.manual_seed(0)
    ours = space("s4d")
    p, x = numbers(ours), drawn(2, 9, 3)
    poles, turn, _ = held(p, 6)
    weights = parts(p["C"]) * (turn - 1) / poles
    kernel = 2 * np.einsum("dn,dnl->dl", weights, turn[..., None] ** np.arange(9)).real
    wanted = np.stack([np.stack([np.convolve(x[b, :, d], kernel[d])[:9] for d in range(3)], -1) for b in range(2)])
    close(ours(x), torch.from_numpy(wanted) + ours.s4d.D * x)


def test_s5_is_its_complex_loop() -> None:
    torch.manual_seed(0)
    ours = space("s5")
    p, x = numbers(ours), drawn(2, 9, 3)
    poles, turn, _ = held(p, 6)
    enters = ((turn - 1) / poles)[:, None] * parts(p["B"])
    h = ran(turn, x.numpy() @ enters.T)
    close(ours(x), torch.from_numpy(2 * (h @ parts(p["C"]).T).real) + ours.s5.D * x)


@pytest.mark.parametrize("block", SPACES)
def test_space_computes_its_formula(block: str) -> None:
    agrees(
        f"""use std.state_space.{block}
        net N (x: real[batch, t, d: 3]) -> (y: real[batch, t, d: 3]) {{ return x |> {block}(over = t, states = 4) }}"""
    )


def mixer(block: str) -> nn.Module:
    return loaded(
        f"""use std.fast_weights.{block}
        net N (x: real[batch, t, d: 6]) -> (y: real[batch, t, d: 6]) {{ return x |> {block}(over = t, heads = 2) }}"""
    )


def heads_of(ours: nn.Module, x: Tensor, name: str) -> Tensor:
    """What a layer of the block reads, [batch, head, t, unit]."""
    parameters = {one.rpartition(".")[2]: parameter for one, parameter in ours.named_parameters()}
    read = torch.einsum("btd,hud->bhtu", x, parameters[f"{name}_weight"])
    bias = parameters.get(f"{name}_bias")
    return read if bias is None else read + bias[:, None]


def joined(ours: nn.Module, y: Tensor) -> Tensor:
    """The heads' results as the last layer reads them."""
    parameters = {one.rpartition(".")[2]: parameter for one, parameter in ours.named_parameters()}
    return torch.einsum("bhtc,dhc->btd", y, parameters["y_weight"]) + parameters.get("y_bias", torch.zeros(()))


def test_causal_attention_is_the_masked_quadratic_form() -> None:
    ours, x = mixer("causal_attention"), drawn(2, 9, 6)
    q, key = (1 + nn.functional.elu(heads_of(ours, x, name)) for name in ("q", "key"))
    score = (q @ key.mT).tril()
    close(ours(x), joined(ours, score @ heads_of(ours, x, "val") / (score.sum(-1, keepdim=True) + 1e-6)))


def test_delta_net_is_its_chunk_form() -> None:
    """Yang et al., section 3: (I + tril(beta K K^T, -1)) U = beta V, then Y = tril(Q K^T) U."""
    ours, x = mixer("delta_net"), drawn(2, 9, 6)
    q, key, val = (nn.functional.silu(heads_of(ours, x, name)) for name in ("q", "key", "val"))
    q, key = (one / (one.square().sum(-1, keepdim=True) + 1e-6).sqrt() for one in (q, key))
    beta = torch.sigmoid(torch.einsum("btd,hd->bht", x, ours.delta_net.beta_weight))[..., None]
    system = torch.eye(9, dtype=torch.float64) + (beta * key @ key.mT).tril(-1)
    fresh = torch.linalg.solve_triangular(system, beta * val, upper=False)
    close(ours(x), joined(ours, (q @ key.mT).tril() @ fresh / 3**0.5))


@pytest.mark.parametrize("block", ["causal_attention", "delta_net"])
def test_fast_weights_compute_their_formula(block: str) -> None:
    agrees(
        f"""use std.fast_weights.{block}
        net N (x: real[batch, t, d: 4]) -> (y: real[batch, t, d: 4]) {{ return x |> {block}(over = t, heads = 2) }}"""
    )
