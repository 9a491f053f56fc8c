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


def test_a_shared_block_of_two_sizes_is_an_error() -> None:
    (found,) = archc.check(net("share f = cell  return f(x) + sum(f(concat(x, x, over = d)), over = d) * x"))
    assert found.code == "E0414"
    assert "shared" in str(found.message)


AGAIN = {
    "before a loop": "share f = cell  let a = f(x)  return repeat 3 shared with a { return f(a) }",
    "after a loop": "share f = cell  let a = repeat 3 shared with a = x { return f(a) }  return f(a)",
    "in two loops": """share f = cell
        let a = repeat 2 shared with a = x { return f(a) }
        return scan over m: 2 with a { return f(a) }""",
    "among passes of their own": "share f = cell  let a = f(x)  return repeat 3 with a { return f(a) }",
    "among passes that differ": """share f = cell
        let a = f(x)
        return repeat 3 as l shared with a { return repeat 1 shared with a { return f(a) } }""",
}


@pytest.mark.parametrize("body", AGAIN.values(), ids=AGAIN)
def test_a_shared_block_has_one_set_of_weights_in_whatever_loops_it_is_used(body: str) -> None:
    ours, x = loaded(net(body)), drawn(2, 3, 4)
    weight, bias = ours.parameters()
    y = x
    for _ in range(4):
        y = torch.tanh(functional.linear(y, weight, bias))
    torch.testing.assert_close(ours(x), y, rtol=1e-12, atol=1e-12)
    assert verify(archc.graph(net(body)), archc.build(net(body)), regimes=("primes",)).ok


def test_a_shared_block_has_one_set_of_weights_where_a_gradient_is_taken() -> None:
    text = """block energy (x: real[d]) -> (e: real[]) { share f = cell  return sum d: f(f(x)) }
    net N (x: real[batch, d: 4]) -> (g: real[batch, d: 4]) { return grad(energy, x) }"""
    ours, x = loaded(CELL + text), drawn(2, 4).requires_grad_()
    weight, bias = ours.parameters()
    y = torch.tanh(functional.linear(torch.tanh(functional.linear(x, weight, bias)), weight, bias))
    (wanted,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(ours(x), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "block",
    [
        "block f (x: real[d]) -> (y: real[d]) { state s: real[d] = 0  let y = x + s  let s = 0.5 * s  return y }",
        "block f (x: real[d]) -> (y: real[d]) { return repeat 2 with x { return layer(x, d -> d) } }",
    ],
)
def test_a_shared_block_of_more_than_weights_is_used_in_one_loop(block: str) -> None:
    text = f"""{block}
    net N (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {{
        share g = f
        let a = g(x)
        return repeat 3 shared with a {{ return g(a) }}
    }}"""
    assert [one.code for one in archc.check(text)] == ["E0410"]


@pytest.mark.parametrize("count", ["3", "3 as l", "3 as l shared", "3 shared"])
def test_a_carry_that_starts_from_a_number_is_as_wide_as_what_a_pass_gives_back(count: str) -> None:
    loop = f"repeat {count} with h = 0 {{ return tanh(h + x) }}"
    text = f"net N (x: real[batch, d]) -> (y: real[batch, d]) {{ return {loop} }}"
    x = drawn(2, 4)
    torch.testing.assert_close(loaded(text)(x), torch.tanh(x + torch.tanh(x + torch.tanh(x))))
    report = verify(archc.graph(text), archc.build(text), regimes=("primes",))
    assert report.ok, report
