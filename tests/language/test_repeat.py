"""`repeat ... as l shared`: its passes differ, their weights do not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import archc
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

CELL = "block cell (x: real[d]) -> (y: real[d]) { return tanh(layer(x, d -> d)) }"


def net(body: str) -> str:
    return f"{CELL}\nnet N (x: real[batch, t: 3, d: 4]) -> (y: real[batch, t: 3, d: 4]) {{ {body} }}"


def loaded(text: str) -> nn.Module:
    return instantiate(load_module(archc.build(text), "N"), {}, dtype=torch.float64)


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def shapes(text: str) -> dict[str, tuple[int, ...]]:
    return {name: tuple(parameter.shape) for name, parameter in loaded(text).named_parameters()}


def test_layers_blocks_and_parameters_are_those_of_the_first_pass() -> None:
    text = net("""return repeat 3 as l shared with h = x {
        param a: real[d]
        let z = layer(h, d -> d, neuron = tanh)
        return cell(z) + l * a
    }""")
    ours = loaded(text)
    assert set(shapes(text)) == {"a", "z_weight", "z_bias", "cell.layer_weight", "cell.layer_bias"}
    x = h = drawn(2, 3, 4)
    for number in range(3):
        z = torch.tanh(functional.linear(h, ours.z_weight, ours.z_bias))
        h = torch.tanh(functional.linear(z, ours.cell.layer_weight, ours.cell.layer_bias)) + number * ours.a
    torch.testing.assert_close(ours(x), h, rtol=1e-12, atol=1e-12)


def test_without_the_word_each_pass_has_its_own() -> None:
    text = net("return repeat 3 as l with h = x { return cell(layer(h, d -> d)) * (l + 1) }")
    assert len(shapes(text)) == 3 * 4


def test_a_choice_of_the_pass_has_weights_of_its_own() -> None:
    text = net("""return repeat 4 as l shared with h = x {
        return if l % 2 == 0 { return layer(h, d -> d) } else { return tanh(layer(h, d -> d)) }
    }""")
    ours = loaded(text)
    (w, b), (v, c) = (list(ours.parameters())[place : place + 2] for place in (0, 2))
    assert len(list(ours.parameters())) == 4
    x = h = drawn(2, 3, 4)
    for _ in range(2):
        h = torch.tanh(functional.linear(functional.linear(h, w, b), v, c))
    torch.testing.assert_close(ours(x), h, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("inner", "count"),
    [
        ("scan over t with s = start { return tanh(layer(x, d -> d, bias = none) + cell(s)) }", 3),
        ("repeat 2 shared with s = start { return cell(s) + layer(s, d -> d, bias = none) }", 3),
        ("repeat 2 as m shared with s = start { return cell(s) * m + layer(s, d -> d, bias = none) }", 3),
        ("repeat 2 as m with s = start { return cell(s) * m + layer(s, d -> d, bias = none) }", 6),
        ("fixpoint with s = start { return 0.1 * cell(s) }", 2),
    ],
)
def test_loops_inside_are_shared_too(inner: str, count: int) -> None:
    text = net(f"""
        let h = repeat 2 as l shared with start = x[t: 0] {{ return {inner} }}
        let y[batch, t, d] = h
        return y""")
    assert len(shapes(text)) == count
    assert verify(archc.graph(text), archc.build(text), regimes=("primes",)).ok


def test_what_is_shared_in_a_pass_is_shared_by_all() -> None:
    text = net("""return repeat 3 as l shared with h = x {
        share f = layer(d -> d)
        share g = cell
        return g(f(h)) + g(f(h + l))
    }""")
    assert set(shapes(text)) == {"f_weight", "f_bias", "g.layer_weight", "g.layer_bias"}


def test_weights_of_one_layer_have_one_size() -> None:
    body = "return repeat 2 as l shared with h = x { return h |> layer(d -> k: 4 + l) |> layer(k -> d: 4) }"
    (found,) = archc.check(net(body))
    assert found.code in ("E0312", "E0313")


SHARED = """
net N (x: real[batch, t, d: 3]) -> (y: real[batch, d: 3]) {
    share f = layer(d -> d, neuron = tanh)
    let a = scan over t with h = x[t: 0] { return f(h + x) }
    return repeat 2 with a { return f(a) }
}"""


def test_a_shared_layer_is_one_layer_in_every_loop() -> None:
    ours = loaded(SHARED)
    assert sorted(ours.state_dict()) == ["f_bias", "f_weight"]
    x = drawn(2, 5, 3)
    h = x[:, 0]
    for t in range(5):
        h = torch.tanh(functional.linear(h + x[:, t], ours.f_weight, ours.f_bias))
    for _ in range(2):
        h = torch.tanh(functional.linear(h, ours.f_weight, ours.f_bias))
    torch.testing.assert_close(ours(x), h, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("let h = repeat 2 with h = x { return f(h) } return h", "E0410"),
        ("let h = repeat 2 shared with h = x { return f(h) } return f(h)", "E0410"),
        ("return f(x) + sum(f(concat(x, x, over = d)), over = d) * x", "E0414"),
    ],
)
def test_a_shared_block_is_one_instance_or_an_error(body: str, code: str) -> None:
    (found,) = archc.check(net(f"share f = cell {body}"))
    assert found.code == code
    assert "shared" in str(found.message)
