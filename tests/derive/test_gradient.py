"""`grad`: the gradient that is derived against torch's own, and against finite differences of the reference."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from archc.driver import build, check, graph
from archc.ir.graph import TypedGraph
from archc.ir.same import same
from archc.ir.text import print_graph
from archc.ops.operation import Operation, Sample
from archc.ops.registries import OPERATIONS
from archc.readings.values import reference
from archc.run.feed import inputs
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

RIGHT = [
    (entry, sample)
    for entry in OPERATIONS
    for sample in entry.samples
    if sample.code is None and "real[" in sample.inputs
]


def name(value: object) -> str:
    return value.body if isinstance(value, Sample) else getattr(value, "word", str(value))


def ports(text: str) -> dict[str, str]:
    """The types of a list of ports by their names."""
    return dict(re.findall(r"(\w+): (\w+(?:\(\w+\))?\[[^\]]*\])", text))


def agrees(energy: str, given: str) -> TypedGraph:
    """The energy of a block and its gradients: the module against torch, the reference against differences."""
    types = {port: type for port, type in ports(given).items() if type.startswith("real")}
    results = ", ".join(f"{port}_grad: {type}" for port, type in types.items())
    names = ", ".join(f"{port}_grad" for port in types)
    call = f"value_and_grad(energy, {', '.join(ports(given))})"
    spec = f"{energy} net N({given}) -> (e: real[], {results}) {{ let (e, {names}) = {call} return e, {names} }}"
    net = graph(spec)
    sizes = {symbol.name: 3 for symbol in net.net.symbols}
    arrays = inputs(net, sizes, 3)
    module = instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64).eval()
    tensors = {port: torch.from_numpy(array) for port, array in arrays.items()}
    leaves = [tensors[port].requires_grad_() for port in types]
    e, *found = module(*tensors.values())
    wanted = torch.autograd.grad(e + sum(0 * leaf.sum() for leaf in leaves), leaves)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)
    parameters = {path: tensor.detach().numpy() for path, tensor in module.state_dict().items()}
    differences(net, arrays, parameters, list(types), sizes)
    return net


def differences(
    net: TypedGraph,
    arrays: dict[str, np.ndarray],
    parameters: dict[str, np.ndarray],
    real: list[str],
    sizes: dict[str, int],
) -> None:
    meant = reference(net)
    result = meant(arrays, parameters, sizes)
    for port in real:
        direction = np.random.default_rng(4).standard_normal(arrays[port].shape)
        ahead, behind = (
            float(meant({**arrays, port: arrays[port] + step * direction}, parameters, sizes)["e"])
            for step in (1e-6, -1e-6)
        )
        slope = float((result[f"{port}_grad"] * direction).sum())
        assert slope == pytest.approx((ahead - behind) / 2e-6, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("operation", "sample"), RIGHT, ids=name)
def test_every_operation_has_its_gradient(operation: type[Operation], sample: Sample) -> None:
    first = ports(f"y: {sample.output}")["y"]
    axes = re.findall(r"(\w+)(?:: [^,\]]+)?[,\]]", first.split("[")[1])
    total = f"sum(sin(y + 0.3), over = ({', '.join(axes)}))" if axes else "sin(y + 0.3)"
    names = "y" if first == sample.output else "(y, rest)"
    agrees(
        f"block energy({sample.inputs}) -> (e: real[]) {{ let {names} = {sample.body} return {total} }}", sample.inputs
    )


ENERGIES = {
    "perceptron": ("x: real[d: 3]", "let h = x |> layer(d -> k: 5, neuron = tanh) return sum k: h * h"),
    "layers": (
        "x: real[n, d: 3]",
        """let h = repeat 3 with x { return x + (x |> layer(d -> d, neuron = gelu)) }
           let u = repeat 2 shared with h { return h |> layer(d -> d, neuron = sin) }
           return sum n, d: u * h""",
    ),
    "loop in a loop": (
        "x: real[d: 3]",
        """let h = repeat 2 with x {
               let u = repeat 2 shared with v = x { return tanh(layer(v, d -> d)) }
               return u + x
           }
           return sum d: h""",
    ),
    "loop to the end": ("x: real[d]", "let s = sum d: x * x return repeat 2 with s { return tanh(s) }"),
    "library": (
        "x: real[d: 3]",
        "let h = x |> norm(over = d) |> mlp(d -> k: 4, depth = 3, neuron = silu) return sum k: h",
    ),
    "attention": (
        "x: real[n, d: 4], m: real[k, d: 4]",
        """let a = softmax((sum d: x * m), over = k)
           let y[n, d] = sum k: a * m
           return sum n, d: y * y * x""",
    ),
    "convolution": (
        "x: real[c: 2, h: 5, w: 4]",
        """let y = x |> layer(c -> o: 3, edge = conv(over = (h, w), size = 3, boundary = zero), neuron = tanh)
           let z = y |> layer(o -> o, edge = conv(over = (h, w), size = 3, boundary = periodic))
           return sum(z * z, over = (o, h, w))""",
    ),
    "stride": (
        "x: real[h: 7]",
        """param K: real[t: 3] = uniform(1)
           let y[h: 3] = sum t: K * x[h: 2 * h + t]
           return sum h: y * y * y""",
    ),
    "pooled": ("x: real[h: 6, c: 2]", "let y = x |> pool_max(over = h, size = 2) return sum(y * y, over = (h, c))"),
    "splines": (
        "x: real[d: 3]",
        "let y = x |> layer(d -> k: 2, edge = silu >> weight + spline(grid = 4), bias = none) return sum k: y * y",
    ),
    "polynomials": ("x: real[d: 3]", "let y = x |> layer(d -> k: 2, edge = chebyshev(degree = 4)) return sum k: y * y"),
    "messages": (
        "x: real[n, d: 2], src: index(n)[link], dst: index(n)[link]",
        """let m[link, d] = x[n: src] * x[n: dst]
           let y[n, d] = sum link where dst == n: m
           return sum n, d: sin(y) * x""",
    ),
    "extremes": (
        "x: real[n, d: 3]",
        """let top[n] = max d: x * x
           let low[d: 3] = min n: x
           return logsumexp(top, over = n) + (prod d: low)""",
    ),
    "positions": ("x: real[n: 4]", "let y[n, m: 4] = x - x[n: m] return sum n, m where n < m: exp(-y * y) * (n + 1)"),
    "nothing": ("x: real[d]", "return 0 * (sum d: round(x))"),
    "twice the same": ("x: real[d], z: real[d]", "return energy2(x, z, z)"),
}
OTHER = "block energy2(a: real[d], b: real[d], c: real[d]) -> (e: real[]) { return sum d: a * b * sin(c) }"


@pytest.mark.parametrize("energy", ENERGIES)
def test_every_kind_of_energy_has_its_gradient(energy: str) -> None:
    given, body = ENERGIES[energy]
    uses = "".join(f"use std.{word}\n" for word in ("norm", "mlp") if f"{word}(" in body)
    net = agrees(f"{uses}{OTHER} block energy({given}) -> (e: real[]) {{ {body} }}", given)
    assert same(net, graph(print_graph(net))), "what is derived is written down like any other value"


def values(spec: str, **arrays: np.ndarray) -> tuple[dict[str, torch.Tensor], torch.nn.Module]:
    """What the module of a spec gives, after the reference was seen to give the same, forward and backward."""
    assert (report := verify(graph(spec), build(spec), regimes=("primes",))).ok, report
    module = instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64).eval()
    found = module(*map(torch.from_numpy, arrays.values()))
    results = (found,) if isinstance(found, torch.Tensor) else found
    return dict(zip(graph(spec).net.output_names, results, strict=True)), module


X = np.random.default_rng(7).uniform(-1, 1, (5, 3))
WAVE = "block wave(x: real[d]) -> (u: real[]) { return exp(sum d: sin((d + 1) * x)) }"


def test_axes_that_a_block_does_not_know_are_passed_through() -> None:
    spec = f"{WAVE} net N(x: real[b, d: 3]) -> (g: real[b, d: 3]) {{ return x |> grad(wave) }}"
    found, _ = values(spec, x=X)
    angle = np.arange(1, 4) * X
    wanted = np.exp(np.sin(angle).sum(1, keepdims=True)) * np.cos(angle) * np.arange(1, 4)
    np.testing.assert_allclose(found["g"].numpy(), wanted, rtol=1e-12)


def test_a_gradient_has_a_gradient() -> None:
    spec = f"""{WAVE}
    block slope(x: real[d]) -> (g: real[d]) {{ return grad(wave, x) }}
    net N(x: real[b, d: 3]) -> (g: real[b, d: 3], h: real[b, d: 3], l: real[b, d: 3]) {{
        let ones[b, d: 3] = 1.0
        let h = grad(slope, x, along = ones)
        return grad(wave, x), h, grad(bend, x)
    }}
    block bend(x: real[d]) -> (l: real[]) {{ let one[d] = 1.0 + 0 * x return sum d: grad(slope, x, along = one) }}
    """
    found, _ = values(spec, x=X)
    leaf = torch.from_numpy(X).requires_grad_()
    u = torch.exp(torch.sin(torch.arange(1, 4) * leaf).sum(1)).sum()
    (first,) = torch.autograd.grad(u, leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), leaf, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), leaf)
    for port, wanted in (("g", first), ("h", second), ("l", third)):
        torch.testing.assert_close(found[port], wanted.detach(), rtol=1e-11, atol=1e-12)


def test_an_input_may_be_chosen_and_be_missing_an_axis() -> None:
    spec = """
    block energy(q: real[d], p: real[d]) -> (h: real[]) { return sum d: q * p * p }
    net N(q: real[b, d], p: real[d]) -> (g: real[d]) { return grad(energy, q, p, by = p) }
    """
    q, p = X, X[0]
    found, _ = values(spec, q=q, p=p)
    np.testing.assert_allclose(found["g"].numpy(), (2 * q * p).sum(0), rtol=1e-12)


def test_a_vector_is_pulled_back() -> None:
    spec = """
    block turn(x: real[d]) -> (y: real[k: 2]) { param w: real[k: 2, d: size(d)] = normal(1) return tanh(sum d: w * x) }
    net N(x: real[b, d: 3], v: real[b, k: 2]) -> (y: real[b, k: 2], g: real[b, d: 3]) {
        let (y, g) = value_and_grad(turn, x, along = v)
        return y, g
    }
    """
    v = np.random.default_rng(8).standard_normal((5, 2))
    found, module = values(spec, x=X, v=v)
    leaf = torch.from_numpy(X).requires_grad_()
    (w,) = module.parameters()
    y = torch.tanh(leaf @ w.T)
    torch.testing.assert_close(found["y"], y, rtol=1e-12, atol=1e-12)
    (wanted,) = torch.autograd.grad(y, leaf, torch.from_numpy(v))
    torch.testing.assert_close(found["g"], wanted, rtol=1e-12, atol=1e-12)


WRONG = {
    "E0204": "grad(x, x)",
    "E0203": "grad(wave)",
    "E0205": "grad(slope, x)",
    "E0330": "grad(count, n)",
    "E0202": "grad(wave, x, over = d)",
    "E0342": "grad(pair, x)",
}


@pytest.mark.parametrize("code", WRONG)
def test_what_has_no_gradient_is_refused(code: str) -> None:
    spec = f"""{WAVE}
    block slope(x: real[d]) -> (g: real[d]) {{ return grad(wave, x) }}
    block count(n: int[d]) -> (g: real[]) {{ return sum d: n }}
    block pair(x: real[d]) -> (a: real[d], b: real[d]) {{ return x, x }}
    net N(x: real[d], n: int[d]) -> (y: real[d]) {{ return {WRONG[code]} }}
    """
    assert code in [one.code for one in check(spec)], [str(one) for one in check(spec)]


def test_an_unknown_input_is_refused() -> None:
    spec = f"{WAVE} net N(x: real[d]) -> (y: real[d]) {{ return grad(wave, x, by = z) }}"
    assert [one.code for one in check(spec)] == ["E0204"]


def test_the_number_of_passes_of_a_derived_loop_is_fixed() -> None:
    spec = """
    block energy(depth: int) (x: real[d]) -> (e: real[]) {
        let h = repeat depth with x { return tanh(layer(x, d -> d)) }
        return sum d: h
    }
    net N(depth = 3) (x: real[b, d: 3]) -> (g: real[b, d: 3]) { return grad(energy(depth = depth), x) }
    """
    net: TypedGraph = graph(spec)
    assert verify(net, build(spec), regimes=("primes",)).ok
    assert sum("weight" in one.name for node in net.net.region.nodes for one in node.results) >= 3


def test_the_gradient_of_dropout_leaves_out_what_is_left_out() -> None:
    text = """
    block e(x: real[d]) -> (y: real[]) { return sum d: dropout(x ^ 3, rate = 0.5) * x }
    block slope(x: real[d]) -> (y: real[]) { let g = grad(e, x)  return sum d: g ^ 2 }
    net N (x: real[batch, d: 16]) -> (y: real[batch], g: real[batch, d: 16], s: real[batch], h: real[batch, d: 16]) {
        let (y, g) = value_and_grad(e, x)
        let (s, h) = value_and_grad(slope, x)
        return y, g, s, h
    }"""
    net = instantiate(load_module(build(text)), {}, dtype=torch.float64, seed=0)
    x = torch.randn(3, 16, dtype=torch.float64, requires_grad=True)
    for mode in (True, False):
        y, g, s, h = net.train(mode)(x)
        for value, found in ((y, g), (s, h)):
            (wanted,) = torch.autograd.grad(value.sum(), x, retain_graph=True)
            torch.testing.assert_close(found, wanted)
            assert (found == 0).any().item() is mode


def test_a_shared_block_has_one_set_of_weights_whether_called_or_derived() -> None:
    """A leapfrog step in a learned potential (Hairer, Lubich, Wanner 2006, I.1.4): its energy is nearly kept."""
    text = """
    block potential (q: real[d]) -> (e: real[]) {
        let h = q |> layer(d -> k: 6, neuron = tanh)
        return sum k: h^2
    }
    net Leap (steps = 10) (q: real[batch, d: 4], p: real[batch, d: 4])
            -> (r: real[batch, d: 4], s: real[batch, d: 4], before: real[batch], after: real[batch]) {
        share V = potential
        let (r, s) = repeat steps shared with r = q, s = p {
            let s = s - 0.005 * grad(V, r)
            let r = r + 0.01 * s
            return r, s - 0.005 * grad(V, r)
        }
        return r, s, V(q), V(r)
    }"""
    assert verify(graph(text, steps=2), build(text, steps=2)).ok
    net = instantiate(load_module(build(text)), {}, dtype=torch.float64, seed=0)
    assert [name for name, _ in net.named_parameters()] == ["V_h_weight", "V_h_bias"]
    q, p = torch.randn(2, 5, 4, dtype=torch.float64)
    found = net(q, p)
    kinetic = [part.square().sum(-1) / 2 for part in (p, found.s)]
    torch.testing.assert_close(found.before + kinetic[0], found.after + kinetic[1], rtol=1e-4, atol=1e-4)
    assert (found.r - q).abs().max() > 0.01
