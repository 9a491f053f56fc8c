"""`grad` through loops that are not written out: against torch's own gradient, finite differences, and the text."""

from __future__ import annotations

import pytest
import torch

from archc.driver import build, check, graph
from archc.ir.node import Scan
from archc.ir.same import differences
from archc.ir.text import print_graph
from archc.run.feed import inputs
from archc.run.load import instantiate, load_module
from archc.run.verify import verify
from tests.derive.test_gradient import ports


def agrees(energy: str, given: str, uses: str = "") -> None:
    """The gradient of an energy, forward and backward: the module against the reference's values and differences, and
    against what torch makes of the energy alone; written down and read again it is the same."""
    types = {port: type for port, type in ports(given).items() if type.startswith("real")}
    results = ", ".join(f"{port}_grad: {type}" for port, type in types.items())
    names = ", ".join(f"{port}_grad" for port in types)
    call = f"value_and_grad(energy, {', '.join(ports(given))})"
    block = f"{uses} block energy({given}) -> (e: real[]) {{ {energy} }}"
    spec = f"{block} net N({given}) -> (e: real[], {results}) {{ let (e, {names}) = {call} return e, {names} }}"
    net = graph(spec)
    report = verify(net, build(spec), regimes=("primes",))
    assert report.ok, report
    text = print_graph(net)
    assert not list(differences(net, graph(text))), text
    arrays = inputs(net, {symbol.name: 4 for symbol in net.net.symbols}, 3)
    module = instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64).eval()
    tensors = {port: torch.from_numpy(array) for port, array in arrays.items()}
    leaves = [tensors[port].requires_grad_() for port in types]
    e, *found = module(*tensors.values())
    wanted = torch.autograd.grad(e, leaves, allow_unused=True)
    for one, other, leaf in zip(found, wanted, leaves, strict=True):
        expected = torch.zeros_like(leaf) if other is None else other
        torch.testing.assert_close(one, expected, rtol=1e-9, atol=1e-10)


SCANS = {
    "recurrent": (
        "x: real[t, d: 3], s: real[d: 3]",
        """let (h, y) = scan over t with h = s {
               let h = tanh(layer(h, d -> d) + layer(x, d -> d, bias = none))
               emit h * h
               return h
           }
           return (sum t, d: y * x) + (sum d: h)""",
    ),
    "captured": (
        "x: real[t, d: 3], w: real[d: 3, k: 3], s: real[]",
        """let u[d, k] = sin(w) * s
           let (h, y) = scan over t with h = 0 {
               let v[d] = sum k: u * h[d: k]
               let h = tanh(s * v + x * (mean d: w[k: d]))
               emit sum d: h * x
               return h
           }
           return (sum t: y * y) + (sum d: h)""",
    ),
    "several carries": (
        "x: real[t, d: 3], s: real[d: 3]",
        """let (a, b, n, y, z) = scan over t with a = s, b = 1, n = 0 * s {
               let c = a * b + x
               let b = 0.5 * b + (mean d: sin(a))
               emit c * n
               emit b
               return sin(c), b, n + c
           }
           return (sum t, d: y) * (sum t: z) + (sum d: a * n)""",
    ),
    "position": (
        "x: real[t, d: 3]",
        """let (h, y) = scan over t with h = 0 { let h = sin(h + x * (t + 1)) + t  emit h * t  return h }
           return (sum t, d: y * y) + (sum d: h)""",
    ),
    "new axis": (
        "x: real[d: 3]",
        """let (z, y) = scan over m: 5 with z = x {
               let z = layer(z, d -> d, neuron = tanh) + 0.1 * m
               emit sum d: z * z
               return z
           }
           return (sum m: y * (m + 1)) + (sum d: z)""",
    ),
    "last only": ("x: real[t, d]", "return sum d: (scan over t with h = 1 { return h * cos(x) })"),
    "emitted only": (
        "x: real[t]",
        "let (_h, y) = scan over t with h = 0 { let h = h + x * x  emit exp(-h)  return h }  return sum t: y",
    ),
    "affine, nothing stored": (
        "x: real[t, d], a: real[d]",
        "let h = scan over t with h = 0 { return 0.5 * h + sin(a) * x } return sum d: h",
    ),
    "carry that no result depends on": (
        "x: real[t]",
        """let (h, g, y) = scan over t with h = 0, g = 0 {
               let h = tanh(h + x)
               let g = g + h * h
               emit h
               return h, g
           }
           return sum t: y""",
    ),
    "what it starts from is emitted": (
        "x: real[t], s: real[]",
        "let (h, y) = scan over t with h = s { emit h  return sin(h * x) }  return h + (sum t: y * y)",
    ),
    "pointer carried": (
        "x: real[t: 4, d: 3], first: index(d)[]",
        """let (p, h, y) = scan over t with p = first, h = 1 {
               let h = h * cos(x[d: p])
               let p = argmax(x, over = d)
               emit h
               return p, h
           }
           return (sum t: y) + h""",
    ),
    "distribution carried": (
        "x: real[t, n: 4]",
        """let (p, y) = scan over t with p = softmax(x[t: 0], over = n) {
               let p = softmax(log(p + 0.1) + x, over = n)
               emit p
               return p
           }
           return sum t, n: y * y * x""",
    ),
    "operations": (
        "x: real[t, d: 4]",
        """let (h, y) = scan over t with h = 0 * x[t: 0] {
               let u = norm(h + x, over = d)
               let h = flip(u, over = d) + cumsum(x, over = d)
               emit max(u, over = d)
               return 0.3 * h
           }
           return (sum t: y) + (sum d: h)""",
    ),
    "scan in a scan": (
        "x: real[t, s, d: 2], w: real[d: 2]",
        """let (a, y) = scan over t with a = 0 {
               let (b, row) = scan over s with b = a {
                   let b = tanh(b * w + x * (t + 1) - s)
                   emit sum d: b * w
                   return b
               }
               emit row
               return sin(b)
           }
           return (sum t, s: y * y) + (sum d: a)""",
    ),
    "repeat in a scan": (
        "x: real[t, d: 3]",
        """let h = scan over t with h = 0 * x[t: 0] {
               let u = repeat 2 with h { return tanh(layer(h, d -> d)) }
               return repeat 2 shared with u { return layer(u, d -> d, neuron = sin) + x }
           }
           return sum d: h""",
    ),
    "scan in a repeat": (
        "x: real[t, d: 3]",
        """let y = repeat 2 with x {
               let (_h, y) = scan over t with h = 0 { let h = tanh(layer(h, d -> d) + x)  emit h  return h }
               return y + x
           }
           let z = repeat 2 shared with y {
               let (_h, z) = scan over t with h = 0 { let h = tanh(layer(h, d -> d) + y)  emit h  return h }
               return z
           }
           return sum t, d: z * z""",
    ),
    "weights of passes in shared passes": (
        "x: real[t, d: 3]",
        """let y = repeat 2 shared with x {
               let u = repeat 2 with x { return tanh(layer(x, d -> d)) }
               let (_h, y) = scan over t with h = 0 * x[t: 0] {
                   let h = repeat 2 with h { return tanh(layer(h, d -> d)) }
                   emit h + u
                   return h + x
               }
               return y
           }
           return sum t, d: y * y""",
    ),
    "one after the other": (
        "x: real[t, s]",
        """let (_a, y) = scan over t with a = 0 { let a = sin(a + x)  emit a  return a }
           let (_b, z) = scan over s with b = 0 { let b = sin(b + y)  emit b * y  return b }
           return sum t, s: z""",
    ),
    "associative": (
        "x: real[t, d: 3], g: real[t, d: 3]",
        """let (h, y) = scan over t with h = 0 using associative() {
               let h = sigmoid(g) * h + x
               emit h * h
               return h
           }
           return (sum t, d: y * x) + (sum d: h)""",
    ),
    "newton": (
        "x: real[t: 5, d: 3], w: real[d: 3]",
        """let (h, y) = scan over t with h = 0 using newton(iterations = 6, tolerance = 1e-9) {
               let h = 0.5 * h + 0.3 * tanh(w * h + x)
               emit h
               return h
           }
           return (sum t, d: y * y) + (sum d: h)""",
    ),
    "gathered": (
        "x: real[n: 4, d: 3], q: real[d: 3]",
        """let (_h, y) = scan over m: 3 with h = q {
               let p = argmax((sum d: x * h) + m, over = n)
               let h = tanh(h + x[n: p])
               emit h
               return h
           }
           return sum m, d: y * y""",
    ),
    "loops that do not depend on it": (
        "x: real[t, d: 3], z: real[s, d: 3]",
        """let h = scan over t with h = 0 {
               let u = repeat 2 with u = 0 * z[s: 0] { return tanh(layer(u, d -> d)) }
               let v = scan over s with v = 0 { return sin(v + z) }
               return sin(h + x * stop_gradient(v) + u)
           }
           return sum d: h""",
    ),
    "what is given and captured is emitted": (
        "x: real[t], s: real[]",
        """let (h, y, z) = scan over t with h = s { emit x  emit s  return sin(h * x) }
           return h + (sum t: y * z)""",
    ),
    "does not depend on it": (
        "x: real[t, d], z: real[t, d]",
        "let h = scan over t with h = 0 { return sin(h + z) }  return (sum d: h) * (sum t, d: x * x)",
    ),
    "rounded": ("x: real[t]", "return 0 * (scan over t with h = 0 { return h + round(x) })"),
}


@pytest.mark.parametrize("energy", SCANS)
def test_a_scan_is_derived(energy: str) -> None:
    given, body = SCANS[energy]
    agrees(body, given)


LIBRARY = {
    "lstm": ("std.lstm", "let (y, _last) = x |> lstm(over = t, d -> k: 2)", "k"),
    "s4d": ("std.state_space.s4d", "let y = x |> s4d(over = t, states = 2)", "d"),
    "delta_net": ("std.fast_weights.delta_net", "let y = x |> delta_net(over = t, heads = 2)", "d"),
}


@pytest.mark.parametrize("block", LIBRARY)
def test_a_recurrence_of_the_library_is_derived(block: str) -> None:
    use, body, axis = LIBRARY[block]
    agrees(f"{body} return sum(y * y, over = (t, {axis}))", "x: real[t, d: 4]", f"use {use}")


FIXPOINTS = {
    "one": (
        "x: real[d: 3]",
        """let z = fixpoint with z = 0 * x using plain(tolerance = 1e-12, limit = 300) { return 0.5 * tanh(z) + x }
           return sum d: z * z""",
    ),
    "layers": (
        "x: real[d: 3]",
        """let z = fixpoint with z = 0 * x using anderson(tolerance = 1e-12, limit = 300) {
               return 0.3 * tanh(layer(z, d -> d)) + x
           }
           return sum d: sin(z)""",
    ),
    "several": (
        "x: real[d: 3], w: real[d: 3]",
        """let u = sin(w)
           let (a, b) = fixpoint with a = x, b = 1 using plain(tolerance = 1e-12, limit = 400) {
               return 0.4 * cos(b * u) + x, 0.3 * (mean d: sin(a))
           }
           return (sum d: a * a) * b""",
    ),
    "only one of two matters": (
        "x: real[d: 3]",
        """let (a, b) = fixpoint with a = 0 * x, b = 0 * x using plain(tolerance = 1e-12, limit = 300) {
               return 0.4 * cos(a) + x, 0.3 * sin(b) + a
           }
           return sum d: a""",
    ),
    "does not depend on it": (
        "x: real[d: 3], z: real[d: 3]",
        """let y = fixpoint with y = x using plain(tolerance = 1e-12, limit = 300) { return 0.5 * cos(y) + z }
           return sum d: y * x""",
    ),
    "scan in a fixpoint": (
        "x: real[t: 4, d: 3]",
        """let z = fixpoint with z = 0 * x[t: 0] using plain(tolerance = 1e-12, limit = 300) {
               let (h, y) = scan over t with h = z { let h = sin(h + x)  emit h * h  return h }
               return 0.2 * h + 0.1 * (sum t: y)
           }
           return sum d: z * z""",
    ),
    "fixpoint in a scan": (
        "x: real[t, d: 3]",
        """let (h, y) = scan over t with h = 0 {
               let z = fixpoint with z = h using plain(tolerance = 1e-12, limit = 300) { return 0.3 * tanh(z + h) + x }
               emit z * h
               return z
           }
           return (sum d: h) + (sum t, d: y)""",
    ),
    "repeat in a fixpoint in a repeat": (
        "x: real[d: 3]",
        """return sum d: (repeat 2 with x {
               return fixpoint with z = x using plain(tolerance = 1e-12, limit = 300) {
                   let u = repeat 2 with z { return tanh(layer(z, d -> d)) }
                   return 0.2 * u + x
               }
           })""",
    ),
}


@pytest.mark.parametrize("energy", FIXPOINTS)
def test_a_fixpoint_is_derived(energy: str) -> None:
    given, body = FIXPOINTS[energy]
    agrees(body, given)


TWICE = {
    "scan": """let (h, y) = scan over t with h = 0 { let h = sin(h * x + x)  emit h * h  return h }
               return (sum t: y * x) + h""",
    "fixpoint": """let s = sum t: x
               let z = fixpoint with z = s using plain(tolerance = 1e-12, limit = 300) { return 0.4 * sin(z) + s }
               return z * z""",
}


@pytest.mark.parametrize("energy", TWICE)
def test_a_derived_loop_has_a_derivative(energy: str) -> None:
    spec = f"""
    block energy(x: real[t]) -> (e: real[]) {{ {TWICE[energy]} }}
    block slope(x: real[t]) -> (s: real[]) {{ let g = grad(energy, x)  return sum t: g * g }}
    net N(x: real[b, t]) -> (s: real[b], g: real[b, t]) {{ let (s, g) = value_and_grad(slope, x)  return s, g }}
    """
    report = verify(graph(spec), build(spec), regimes=("primes",))
    assert report.ok, report
    text = print_graph(graph(spec))
    assert not list(differences(graph(spec), graph(text))), text
    plain = f"net N(x: real[t]) -> (e: real[]) {{ {TWICE[energy]} }}"
    net = instantiate(load_module(build(plain), "N"), {}, dtype=torch.float64)
    x = torch.linspace(-1, 1, 4, dtype=torch.float64)
    step = 1e-5

    def slope(at: torch.Tensor) -> torch.Tensor:
        leaf = at.clone().requires_grad_()
        (found,) = torch.autograd.grad(net(leaf), leaf)
        return found.square().sum()

    ends = [slope(x + sign * step * torch.eye(4, dtype=torch.float64)[at]) for at in range(4) for sign in (1, -1)]
    wanted = torch.stack([(ahead - behind) / (2 * step) for ahead, behind in zip(ends[::2], ends[1::2], strict=True)])
    s, g = instantiate(load_module(build(spec), "N"), {}, dtype=torch.float64)(x[None])
    torch.testing.assert_close(s[0], slope(x), rtol=1e-8, atol=1e-9)
    torch.testing.assert_close(g[0], wanted, rtol=1e-6, atol=1e-7)


def test_axes_that_the_block_does_not_know_are_passed_through() -> None:
    spec = """
    block energy(x: real[t, d], m: real[k]) -> (e: real[]) {
        let (h, y) = scan over t with h = 0 { let h = tanh(h + x * (sum k: m))  emit h  return h }
        return (sum t, d: y) * (sum d: h)
    }
    net N(x: real[batch, t, d: 3], m: real[head, k: 2]) -> (g: real[batch, t, d: 3], n: real[head, k: 2]) {
        let (g, n) = grad(energy, x, m)
        return g, n
    }"""
    report = verify(graph(spec), build(spec), regimes=("primes",))
    assert report.ok, report
    assert not list(differences(graph(spec), graph(print_graph(graph(spec)))))


def test_a_gradient_within_a_loop() -> None:
    spec = """
    block energy(x: real[t, d], p: real[d]) -> (e: real[]) {
        let h = scan over t with h = p { return sin(h + x) }
        return sum d: h * h
    }
    net N(x: real[t, d: 3], p: real[d: 3]) -> (q: real[d: 3], y: real[m: 3]) {
        let (q, y) = scan over m: 3 with q = p {
            let (e, g) = value_and_grad(energy, x, q, by = p)
            emit e
            return q - 0.1 * g
        }
        return q, y
    }"""
    report = verify(graph(spec), build(spec), regimes=("primes",))
    assert report.ok, report
    assert not list(differences(graph(spec), graph(print_graph(graph(spec)))))


def test_passes_that_share_have_one_set_of_weights() -> None:
    given, body = SCANS["weights of passes in shared passes"]
    spec = f"""
    block energy({given}) -> (e: real[]) {{ {body} }}
    net N({given}) -> (g: real[t, d: 3]) {{ return grad(energy, x) }}
    net Plain({given}) -> (e: real[]) {{ return energy(x) }}"""
    own, plain = (list(instantiate(load_module(build(spec, net), net), {}).parameters()) for net in ("N", "Plain"))
    assert len(own) == len(plain) == 8


def test_what_a_scan_draws_is_drawn_once() -> None:
    spec = """
    block e(x: real[t, d]) -> (y: real[]) {
        let (h, y) = scan over t with h = 0 { let h = dropout(sin(h + x), rate = 0.5) + x  emit h * h  return h }
        return (sum t, d: y) + (sum d: h)
    }
    net N(x: real[batch, t: 5, d: 16]) -> (y: real[batch], g: real[batch, t: 5, d: 16]) {
        let (y, g) = value_and_grad(e, x)
        return y, g
    }"""
    net = instantiate(load_module(build(spec)), {}, dtype=torch.float64, seed=0)
    x = torch.randn(3, 5, 16, dtype=torch.float64, requires_grad=True)
    for mode in (True, False):
        y, g = net.train(mode)(x)
        (wanted,) = torch.autograd.grad(y.sum(), x)
        torch.testing.assert_close(g, wanted)
    assert not list(differences(graph(spec), graph(print_graph(graph(spec)))))


def test_what_is_computed_between_is_stored_only_where_it_is_read() -> None:
    def scans(step: str) -> list[Scan]:
        spec = f"""
        block energy(x: real[t], a: real[t]) -> (e: real[]) {{
            let (h, y) = scan over t with h = 0 {{ {step} }}
            return h + (sum t: y)
        }}
        net N(x: real[t], a: real[t]) -> (g: real[t]) {{ return grad(energy, x, a, by = x) }}"""
        return [node for node in graph(spec).net.region.nodes if isinstance(node, Scan)]

    first, second = scans("let h = 0.5 * h + a * x  emit h  return h")
    assert len(first.results) == 2
    assert not second.captures
    first, second = scans("let h = sin(h) * x  emit 3 * h  return h")
    assert [first.body.outputs[-1], len(first.results)] == [first.carries[0].name, 3]
    assert second.solver is None


REFUSED = {
    "random numbers of a scan in a scan": """
        let a = scan over t with a = 0 * x[t: 0, s: 0] {
            return scan over s with b = a { return dropout(sin(b + x), rate = 0.5) }
        }
        return sum d: a""",
    "random numbers of a fixpoint": """
        let z = fixpoint with z = 0 * x { return 0.5 * dropout(sin(z), rate = 0.5) + x }
        return sum t, s, d: z""",
}


@pytest.mark.parametrize("energy", REFUSED)
def test_what_has_no_gradient_yet_is_refused(energy: str) -> None:
    spec = f"""
    block energy(x: real[t, s, d]) -> (e: real[]) {{ {REFUSED[energy]} }}
    net N(x: real[t, s, d]) -> (g: real[t, s, d]) {{ return grad(energy, x) }}"""
    assert [one.code for one in check(spec)] == ["E0410"]
