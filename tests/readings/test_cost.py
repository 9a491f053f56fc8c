"""Costs: formulas in the sizes and the numbers they give."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from archc.base.assets import specs_root
from archc.driver import graph
from archc.ir.parameter import parameters
from archc.readings.amount import NOTHING, Amount
from archc.readings.cost import Cost, cost
from archc.readings.summary import summary
from archc.types.size import Size

N, D, K = map(Size.symbol, ("n", "d", "k"))
SPECS = sorted(path for path in specs_root().rglob("*.arch") if path.parent.name != "std")


def test_worked_example_of_the_language_reference() -> None:
    """LANGUAGE.md section 8: parameters 2dk + k; 2ndk + 2dk + 4nk operations; nk + k + n activations."""
    text = """
    net Point (q: real[d], e: real[n, d], like: real[k]) -> (u: real[n]) {
        param W1, W2: real[k: size(k), d: size(d)]
        param v: real[k: size(k)]
        let u[n] = sum k: v * tanh((sum d: W1 * e) + (sum d: W2 * q))
        return u
    }
    """
    found = cost(graph(text)).net
    assert found.parameters.formula == 2 * D * K + K
    assert found.flops.formula == 2 * N * D * K + 2 * D * K + 4 * N * K
    assert found.bytes.formula == 4 * (N * K + K + N)


def test_mlp() -> None:
    found = cost(graph(specs_root() / "basic" / "mlp.arch")).net
    sizes = {"batch": 32, "width": 256, "depth": 2}
    assert found.parameters.evaluate(sizes) == 64 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10
    assert found.contractions.evaluate(sizes) == 2 * 32 * (64 * 256 + 256 * 256 + 256 * 10)


def net_cost(body: str, ports: str = "x: real[n, d]", result: str = "real[n, k]") -> Cost:
    return cost(graph(f"net A ({ports}) -> (y: {result}) {{ {body} }}")).net


def test_a_chain_of_products_is_merged() -> None:
    body = "param c: real[j: 3, d: size(d), m: 2]  let y[n, j] = sum d: (sum m: c * cos(m * x))  return y"
    found = net_cost(body, result="real[n, j: 3]")
    # the factor without c is formed over (n, d, m), then one contraction over (d, m)
    assert found.contractions.formula == 2 * N * 3 * D * 2


@pytest.mark.parametrize(
    ("body", "result", "flops"),
    [
        ("cumsum(x, over = d)", "real[n, d]", N * D),
        ("argmax(x, over = d)", "index(d)[n]", N * D),
        ("sort(x, over = d)", "real[n, d]", N * D * D.log2),
        ("linear_recurrence(x, x, over = d)", "real[n, d]", 5 * N * D),
        ("topk(x, over = d, axis = k, size = 2)", "real[n, k: 2], at: index(d)[n, k: 2]", N * D),
    ],
)
def test_an_operation_costs_what_its_call_takes(body: str, result: str, flops: Size) -> None:
    text = f"net A (x: real[n, d]) -> (y: {result}) where size(d) >= 2 {{ return {body} }}"
    assert cost(graph(text)).net.flops.formula == flops


def test_messages_cost_one_addition_each() -> None:
    ports = "x: real[e, k], dst: index(n)[e], z: real[n, k]"
    found = net_cost("let y[n, k] = sum e where dst == n: x  return y", ports)
    assert found.flops.formula == Size.symbol("e") * K
    assert found.contractions == NOTHING


def test_a_convolution() -> None:
    body = "param K: real[k: 8, c: size(c), dy: 3]  let y[k, h] = sum c, dy: K * x[h: (h + dy - 1) % size(h)]  return y"
    found = net_cost(body, "x: real[c, h]", "real[k: 8, h]")
    assert found.flops.formula == 2 * 8 * Size.symbol("c") * 3 * Size.symbol("h")


def test_shared_and_own_weights_of_a_loop() -> None:
    text = """net A (depth = 3) (x: real[n, d]) -> (y: real[n, d]) {
        return repeat depth TIES with x { return x |> layer(d -> d) }
    }"""
    own, shared = (cost(graph(text.replace("TIES", ties))).net for ties in ("", "shared"))
    depth = Size.symbol("depth")
    assert own.parameters.formula == depth * (D * D + D)
    assert shared.parameters.formula == D * D + D
    assert own.flops.formula == shared.flops.formula == depth * (2 * N * D * D + N * D)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_parameters_of_every_spec_are_those_listed(path: Path) -> None:
    typed = graph(path)
    sizes = {symbol.name: symbol.default or 8 for symbol in typed.net.symbols}
    listed = [placed for placed in parameters(typed, sizes) if placed.parameter.role == "param"]
    numbers = sum(math.prod(size.evaluate(sizes) for size in placed.shape) for placed in listed)
    assert cost(typed).net.parameters.evaluate(sizes) == numbers


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_summary_of_every_spec(path: Path) -> None:
    typed = graph(path)
    console = Console(file=io.StringIO(), width=200)
    console.print(summary(typed))
    assert isinstance(console.file, io.StringIO)
    assert typed.net.word in console.file.getvalue()


def test_amounts_have_no_bound() -> None:
    large = Amount.of([N] * 12, 2**60)
    assert large.formula is None
    assert large.evaluate({"n": 10}) == 2**60 * 10**12
    assert (large + large.times(3)).evaluate({"n": 1}) == 2**62
    assert str(Amount.of([N, K], 2)) == "2*k*n"
    assert Amount.of([N], 0) == NOTHING
