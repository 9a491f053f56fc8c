"""Loops along an axis: each equals its passes written out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import archc
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

CUMULATED = """
block summed (over: axes) (x: real[over]) -> (y: real[over]) {
    let (h, y) = scan over over with h = 0 {
        let h = h + x
        emit h
        return h
    }
    return y
}
net N (x: real[batch, t, s]) -> (y: real[batch, t, s]) { return x |> summed(over = t) |> summed(over = s) }
"""


def loaded(text: str) -> nn.Module:
    return instantiate(load_module(archc.build(text), "N"), {}, dtype=torch.float64)


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_one_block_runs_along_one_axis_and_along_another() -> None:
    x = drawn(2, 3, 4)
    torch.testing.assert_close(loaded(CUMULATED)(x), x.cumsum(1).cumsum(2))
    assert verify(archc.graph(CUMULATED), archc.build(CUMULATED), regimes=("primes",)).ok


LOOP = """
block cell (x: real[d], h: real[d]) -> (y: real[d]) {
    return tanh(layer(x, d -> d) + layer(h, d -> d, bias = none))
}
net N (x: real[batch, t: 4, d: 3], start: real[batch, d: 3]) -> (last: real[batch, d: 3], y: real[batch, t: 4, d: 3]) {
    share f = cell
    LOOP
}
"""
SCAN = """let (h, y) = scan over t with h = start {
        let h = f(x, h)
        emit h
        return h
    }
    return h, y"""
UNROLLED = """
    let a = f(x[t: 0], start)
    let b = f(x[t: 1], a)
    let c = f(x[t: 2], b)
    let d_ = f(x[t: 3], c)
    return d_, stack(a, b, c, d_, axis = t)"""


def test_scan_is_its_unrolled_form() -> None:
    scan, unrolled = (loaded(LOOP.replace("LOOP", body, 1)) for body in (SCAN, UNROLLED))
    for one, other in zip(scan.parameters(), unrolled.parameters(), strict=True):
        other.data = one.data
    x, start = drawn(2, 4, 3), drawn(2, 3)
    grads = []
    for net in (scan, unrolled):
        last, y = net(x, start)
        torch.testing.assert_close(last, y[:, -1])
        grads.append([y, *torch.autograd.grad(y.square().sum() + last.sum(), list(net.parameters()))])
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def agrees(text: str) -> None:
    assert verify(archc.graph(text), archc.build(text), regimes=("primes",)).ok


def test_several_carries_and_emits_and_the_position() -> None:
    text = """net N (x: real[batch, t, d: 3]) -> (a: real[batch, d: 3], ys: real[batch, t, d: 3], n: real[batch, t]) {
        let (h, c, ys, n) = scan over t with h = 0, c = 1 {
            let h = tanh(h + x * c)
            let c = 0.5 * c + 1
            emit h * t
            emit sum d: h
            return h, c
        }
        return h, ys, n
    }"""
    x = drawn(2, 4, 3).numpy()
    h, c, ys, n = np.zeros((2, 3)), 1.0, [], []
    for t in range(4):
        h, c = np.tanh(h + x[:, t] * c), 0.5 * c + 1
        ys.append(h * t)
        n.append(h.sum(-1))
    for found, wanted in zip(loaded(text)(torch.from_numpy(x)), (h, np.stack(ys, 1), np.stack(n, 1)), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-12, atol=1e-12)
    agrees(text)


def test_a_new_axis() -> None:
    text = """net N (steps = 4) (x: real[batch, d: 3]) -> (y: real[batch, m: steps, d: 3]) {
        let (last, y) = scan over m: steps with z = x {
            let z = layer(z, d -> d, neuron = tanh) + 0.1 * m
            emit z
            return z
        }
        return y
    }"""
    net = loaded(text)
    z = x = drawn(2, 3)
    found = net(x)
    (weight, bias) = net.parameters()
    for m in range(4):
        z = torch.tanh(z @ weight.T + bias) + 0.1 * m
        torch.testing.assert_close(found[:, m], z, rtol=1e-12, atol=1e-12)
    agrees(text)


def test_a_scan_in_a_scan() -> None:
    text = """net N (x: real[batch, t, s, d: 3]) -> (y: real[batch, t, s]) {
        let (a, y) = scan over t with a = 0 {
            let (b, row) = scan over s with b = a {
                let b = tanh(b + (sum d: x) * (t + 1) - s)
                emit b
                return b
            }
            emit row
            return b
        }
        return y
    }"""
    x = drawn(2, 3, 4, 3)
    a, found = torch.zeros(2, dtype=torch.float64), loaded(text)(x)
    for t in range(3):
        for s in range(4):
            a = torch.tanh(a + x[:, t, s].sum(-1) * (t + 1) - s)
            torch.testing.assert_close(found[:, t, s], a, rtol=1e-12, atol=1e-12)
    agrees(text)


def test_tuples_in_and_out() -> None:
    text = """
    block cell(over: axes) (x: real[over], start: (real[], real[]) = 0) -> (y: real[over], state: (real[], real[])) {
        let (h0, c0) = start
        let (h, c, y) = scan over over with h = h0, c = c0 {
            let c = 0.5 * c + x
            let h = tanh(c) + 0.1 * h
            emit h
            return h, c
        }
        return y, (h, c)
    }
    net N (x: real[batch, t, d: 3]) -> (y: real[batch, t, d: 3]) {
        let (y, state) = x |> cell(over = t)
        let (z, state) = x |> cell(over = t, start = state)
        return y + z
    }"""
    x, net = drawn(2, 3, 3), loaded(text)
    h = c = torch.zeros(2, 3, dtype=torch.float64)
    passes = []
    for t in (0, 1, 2, 0, 1, 2):
        c = 0.5 * c + x[:, t]
        h = torch.tanh(c) + 0.1 * h
        passes.append(h)
    torch.testing.assert_close(net(x), torch.stack([a + b for a, b in zip(passes[:3], passes[3:], strict=True)], 1))
    agrees(text)


def test_what_is_read_from_outside_is_the_entry_at_hand() -> None:
    text = """net N (x: real[t, batch], w: real[batch]) -> (last: real[batch], y: real[t, batch]) {
        let twice = 2 * x
        let (h, y) = scan over t with h = w {
            let h = h * w + twice + x
            emit h
            return h
        }
        return h, y
    }"""
    x, w = drawn(4, 2), drawn(2)
    h, (last, y) = w, loaded(text)(x, w)
    for t in range(4):
        h = h * w + 3 * x[t]
        torch.testing.assert_close(y[t], h)
    torch.testing.assert_close(last, h)
    agrees(text)


SCALED = {
    "scan": "let h = scan over t with h = 0 { return tanh(h + x) / scale } return h",
    "associative": "let h = scan over t with h = 0 using associative() { return (h + x) / scale } return h",
    "repeat": "return repeat 2 with h = mean(x, over = t) { return tanh(layer(h, d -> d)) / scale }",
    "fixpoint": "return fixpoint with h = 0 * mean(x, over = t) { return tanh(h) / scale }",
    "new axis": """return repeat 2 with h = mean(x, over = t) {
        return scan over m: scale with h { return tanh(layer(h, d -> d)) + m }
    }""",
}


@pytest.mark.parametrize("body", SCALED.values(), ids=SCALED)
def test_a_hyper_parameter_is_a_number_in_a_body_whose_axes_have_fixed_sizes(body: str) -> None:
    agrees(f"net N (scale = 3) (x: real[batch, t, d: 3]) -> (y: real[batch, d: 3]) {{ {body} }}")


def test_the_position_at_hand_is_an_index_inside_the_axis() -> None:
    text = """net N (x: real[batch, t, n]) -> (y: real[batch, t], z: real[batch, t]) where n >= t {
        let (h, y, z) = scan over t with h = 0 {
            let h = 0.5 * h + x[n: t]
            emit h
            emit x[n: size(n) - 1 - t] + (sum n where n <= t: x)
            return h
        }
        return y, z
    }"""
    x = drawn(2, 3, 5)
    y, z = loaded(text)(x)
    h = torch.zeros(2, dtype=torch.float64)
    for t in range(3):
        h = 0.5 * h + x[:, t, t]
        torch.testing.assert_close(y[:, t], h)
        torch.testing.assert_close(z[:, t], x[:, t, 4 - t] + x[:, t, : t + 1].sum(-1))
    agrees(text)


def test_the_position_at_hand_outside_a_shorter_axis() -> None:
    text = """net N (x: real[t, n]) -> (y: real[t]) {
        let (h, y) = scan over t with h = 0 { let h = 0.5 * h + x[n: t else 1]  emit h  return h }
        return y
    }"""
    agrees(text)


def test_an_axis_of_the_name_of_the_loop_is_bound_inside() -> None:
    text = """net N (x: real[batch, t], w: real[n: 3]) -> (y: real[batch]) {
        return scan over t with h = 0 { return h + x * t + (sum t: w[n: t] * t) }
    }"""
    x, w = drawn(2, 4), drawn(3)
    wanted = (x * torch.arange(4)).sum(-1) + 4 * (w * torch.arange(3)).sum()
    torch.testing.assert_close(loaded(text)(x, w), wanted)
    agrees(text)


def test_what_is_emitted_keeps_its_axes_where_the_results_have_them_in_another_order() -> None:
    text = """net N (x: real[batch, t]) -> (y: real[batch, t, m: 3]) {
        let (h, y) = scan over t with h = 0 {
            let h = 0.5 * h + x
            let row[m: 3, batch] = h * m
            emit row
            return h
        }
        return y
    }"""
    agrees(text)


DECODED = """net N (steps = 3) (x: real[batch, n, d: 3], first: index(n)[batch])
        -> (chosen: index(n)[batch, m: steps], y: simplex(n)[batch, m: steps, n]) {
    let (h, p, chosen, y) = scan over m: steps with h = 0 * sum(x, over = n), p = first {
        let h = tanh(layer(h, d -> d) + layer(x[n: p], d -> d))
        let score = sum d: h * x
        let p = argmax(score, over = n)
        emit p
        emit softmax(score, over = n)
        return h, p
    }
    return chosen, y
}"""


def test_greedy_decoding_reads_what_it_points_to() -> None:
    net, x, p = loaded(DECODED), drawn(2, 5, 3), torch.tensor([1, 4])
    chosen, y = net(x, p)
    (a, b, c, d), h = net.parameters(), torch.zeros(2, 3, dtype=torch.float64)
    for m in range(3):
        h = torch.tanh(h @ a.T + b + x[torch.arange(2), p] @ c.T + d)
        score = (x * h[:, None]).sum(-1)
        p = score.argmax(-1)
        torch.testing.assert_close(chosen[:, m], p)
        torch.testing.assert_close(y[:, m], score.softmax(-1), rtol=1e-12, atol=1e-12)
    agrees(DECODED)


KEPT = {
    "pointer": ("p0: index(n)[batch]", "index(n)[batch]", "argmax(x * (1 + x[n: p]), over = n)"),
    "distribution": ("p0: simplex(n)[batch, n: 3]", "simplex(n)[batch, n: 3]", "softmax(x - 0.5 * p, over = n)"),
    "point": ("p0: point(n)[batch, n: 3]", "point(n)[batch, n: 3]", "p0 + 0.3 * tanh(p - p0)"),
}
LOOPS = {
    "repeat": "repeat 2 shared with p = p0 { return PASS }",
    "label": "repeat 2 as k with p = p0 { return PASS }",
    "scan": "scan over m: 2 with p = p0 { return PASS }",
    "newton": "scan over m: 2 with p = p0 using newton(iterations = 4) { return PASS }",
    "fixpoint": "fixpoint with p = p0 using anderson(tolerance = 1e-12, limit = 200) { return PASS }",
    "nested": "scan over m: 2 with p = p0 { return repeat 2 with p { return PASS } }",
}


@pytest.mark.parametrize(("kind", "loop"), [pair for pair in product(KEPT, LOOPS) if pair != ("pointer", "fixpoint")])
def test_a_carry_keeps_its_kind(kind: str, loop: str) -> None:
    start, result, step = KEPT[kind]
    body = LOOPS[loop].replace("PASS", step)
    agrees(f"net N (x: real[batch, n: 3], {start}) -> (y: {result}) {{ return {body} }}")


@pytest.mark.parametrize("loop", ["repeat 3", "repeat 3 as k", "scan over m: 3"])
def test_a_carry_that_comes_back_as_a_number_is_one(loop: str) -> None:
    agrees(f"""net N (x: real[batch, n], p0: index(n)[batch]) -> (p: int[batch], y: real[batch]) {{
        let (p, y) = {loop} with p = p0, y = x[n: p0] {{
            return p + 1, y + x[n: p % size(n)]
        }}
        return p, y
    }}""")


def test_newton_takes_a_step_whose_sums_the_carry_has_no_part_in() -> None:
    agrees("""net N (x: real[batch, t, n: 3], h0: real[batch]) -> (h: real[batch]) {
        return scan over t with h = h0 using newton(iterations = 8) { return 0.3 * (sum n: x * tanh(h * x)) }
    }""")


@pytest.mark.parametrize("solver", ["associative()", "newton(iterations = 3)"])
def test_whole_numbers_and_truth_values_are_carried_step_by_step(solver: str) -> None:
    counted = f"""net N (x: real[batch, t]) -> (n: int[], y: real[batch, t]) {{
        let (n, y) = scan over t with n = 0 using {solver} {{ emit n * x  return n + 1 }}
        return n, y
    }}"""
    agrees(counted)
    assert [one.code for one in archc.check(counted)] == ["W0705"]


READ_ALONG = {
    "index": "let h[batch, d] = tanh((sum e: w * h[d: e]) + x)",
    "layer": "let h = tanh(layer(h, d -> d) + x)",
    "what comes of it": "let g = 2 * h  let h = tanh(layer(g - 1, d -> d) + x)",
    "block": "let h = cell(x, h)",
    "operation": "let h = softmax(h, over = d) + x",
    "reduction": "let h = 0.1 * mean(h, over = d) + x",
    "loop inside": "let h = scan over m: 2 with h { return tanh(layer(h, d -> d) + x) }",
    "two carries": "let c = 0.5 * c + tanh(layer(h, d -> d) + x)  let h = tanh(layer(c, d -> d))",
}


@pytest.mark.parametrize("step", READ_ALONG.values(), ids=READ_ALONG)
def test_a_carry_that_starts_from_a_number_is_read_along_the_axes_that_it_comes_back_with(step: str) -> None:
    agrees(f"""
    block cell (x: real[d], h: real[d]) -> (y: real[d]) {{ return tanh(layer(x, d -> d) + layer(h, d -> d)) }}
    net N (x: real[batch, t, d: 3], w: real[d: 3, e: 3]) -> (y: real[batch, t, d: 3], z: real[batch, d: 3]) {{
        let (h, c, y) = scan over t with h = 0, c = 0 {{ {step}  emit h  return h, c }}
        let z = fixpoint with z = 0 {{ return 0.2 * tanh(layer(z, d -> d)) + h + c }}
        return y, z
    }}""")


def test_steps_are_joined_where_the_carry_starts_from_a_number() -> None:
    text = """net N (x: real[batch, t, d: 3], w: real[d: 3, e: 3]) -> (y: real[batch, t, d: 3]) {
        let (h, y) = scan over t with h = 0 using associative() {
            let h[batch, d] = 0.3 * (sum e: w * h[d: e]) + x
            emit h
            return h
        }
        return y
    }"""
    agrees(text)
    assert not archc.check(text)
