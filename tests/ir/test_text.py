"""The text of a graph is a spec, and the spec is the graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from archc.base.assets import specs_root
from archc.base.diagnostic import Findings
from archc.base.span import Source
from archc.driver import check, graph
from archc.ir.parameter import parameters
from archc.ir.same import differences, same
from archc.ir.text import print_graph
from archc.syntax.parse import parse
from archc.syntax.unparse import format_source

SPECS = sorted(path for path in specs_root().rglob("*.arch") if path.parent.name != "std")

NETS = {
    "a pointer that a loop carries": """
        net N(steps = 3)(x: real[batch, n, d: 3], first: index(n)[batch]) -> (y: index(n)[batch, m: steps]) {
            let (p, y) = scan over m: steps with p = first {
                let p = argmax((sum d: x * x[n: p]) + m, over = n)
                emit p
                return p
            }
            return y
        }
    """,
    "the position of a loop": """
        net N(x: real[batch, t, n]) -> (y: real[batch]) where n >= t {
            return scan over t with h = 0 { return 0.5 * h + x[n: t] }
        }
    """,
    "lifted values on both sides": """
        block point(q: real[d], e: real[n, d]) -> (u: real[n]) {
            param W1, W2: real[k: 8, d]
            param v: real[k: 8] = 0.5
            let u[n] = sum k: v * tanh((sum d: W1 * e) + (sum d: W2 * q))
            return u
        }
        net N(q: real[batch, m, d: 4], e: real[batch, n, d: 4]) -> (u: real[batch, m, n]) {
            return point(q, e)
        }""",
    "a value named as an axis of a later layer": """
        net N(x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            let m = relu(x)
            let z = m |> layer(d -> m: 3)
            return m + (z |> layer(m -> d: 4))
        }""",
    "inputs named as axes that edges and operations bind": """
        net N(m: real[batch, d: 3], d_in: real[batch, d: 3], tap_h: real[h: 8, w])
                -> (y: real[batch, d: 4], z: real[c: 2, h: 4, w])
        {
            let y = m |> layer(d -> d: 4, edge = spline()) + d_in |> layer(d -> d: 4)
            let z = tap_h |> layer(() -> c: 2, edge = conv(over = (h, w))) |> pool_max(over = h, size = 2)
            return y, z
        }""",
    "values named as what they call": """
        net N(x: real[batch, d: 4]) -> (softmax: real[batch, d: 4]) {
            let relu = relu(x)
            let mean = mean(relu, over = d)
            let tanh = tanh(relu - mean)
            return tanh |> softmax(over = d) |> relu()
        }""",
    "an axis named as a hyper-parameter": """
        net N(hidden = 8) (x: real[batch, d: 4]) -> (y: real[batch, hidden: 2 * hidden]) {
            let h = x |> layer(d -> hidden: hidden)
            let y[batch, hidden: 2 * hidden] = h[hidden: hidden // 2] * size(d) + hidden
            return y
        }""",
    "a strided grid that wraps around": """
        net N(x: real[batch, c: 3, h, w]) -> (y: real[batch, c: 5, h: (h - 1) // 2 + 1, w: (w - 1) // 2 + 1]) {
            return x |> layer(c -> c: 5, edge = conv(over = (h, w), stride = 2, boundary = periodic), bias = none)
        }""",
    "shared blocks and layers": """
        use std.mlp
        net N(x: real[batch, d: 4], z: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            share f = mlp(d -> d, width = 8, depth = 1)
            share g = layer(d -> d)
            return f(x) + f(z) + g(x) + g(g(z))
        }""",
    "several results and several carries": """
        block both(x: real[d]) -> (a: real[d], b: real[d]) { return relu(x), x |> layer(d -> d) }
        net N(x: real[batch, d: 4]) -> (y: real[batch, d: 4], z: real[batch, d: 4]) {
            let (p, q) = both(x)
            let (p, q) = repeat 3 with p, q { let (q, p) = both(p + q) return p, q }
            let (r, s) = both(q)
            return p + s, r
        }""",
    "loops: shared, nested, numbered, of no pass": """
        net N(depth = 2) (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            let h = repeat depth shared with h = x {
                return repeat 2 with h { return h + h |> layer(d -> d, neuron = tanh) }
            }
            let h = repeat 2 as l with h { return h * (l + 1) }
            return repeat depth - 2 with h { return h |> norm(over = d) }
        }""",
    "constants, assumptions and numbers of every sort": """
        net N(x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            const ramp: real[d: 4] = -0.5 * d + 1e-3
            const noise: real[d: 4] = normal(0.1)
            assume x >= -1
            let a = -x + ramp - 2 - (-3.5) * noise
            let b = x - (-1) + -a ^ 2 / 3 - 1
            return clamp(a * b, lower = -2, upper = 2) |> leaky_relu(slope = 0.2)
        }""",
    "pointers, conditions and what stands outside": """
        net N(x: real[n, d: 4], src: index(n)[e], dst: index(n)[e]) -> (y: real[n, d: 4]) {
            let sent[e, d] = x[n: src] * where(src == dst, 1, -1)
            let got[n, d] = sum e where dst == n and src != n: sent
            let seen[n, d] = sum m where m <= n or m == 0: got[n: m]
            return seen + x[n: n - 1 else 0] + x[d: (d + 1) % size(d)] + x[n: (n * 2) % size(n), d: 3 - d]
        }""",
    "the reductions": """
        net N(x: real[batch, n, d: 4]) -> (y: real[batch, d: 4]) {
            let top = (max n: x) + (min n: x) + (prod n: x) + (logsumexp n: x)
            return where((any n: (x > 0)), top, (mean n: x)) + max(top, 0, 1)
        }""",
    "edges of every kind": """
        net N(x: real[batch, d: 4]) -> (y: real[batch, d: 6]) {
            let h = x |> layer(d -> d, edge = 2 * weight - silu >> tied(spline(grid = 3), groups = 2), neuron = prelu)
            let h = h |> layer(d -> d: 6, wiring = random(0.5, 7), aggregate = max)
            let h = h |> layer(d -> d, wiring = groups(3), init = orthogonal)
            return h |> layer(d -> d, wiring = one_to_one, edge = chebyshev(degree = 3), bias = none)
        }""",
    "kinds that a port changes": """
        net N(x: int[n], p: index(n)[m]) -> (y: real[n], q: int[m], r: real[n], s: bool[n]) {
            return x // 2, p, softmax(1 * x, over = n), x > 1
        }""",
    "a twin axis": """
        net N(x: real[n, d: 3]) -> (r: real[n, m ~ n, d: 3]) {
            let r[n, m ~ n, d] = x - x[n: m]
            return r
        }""",
    "a block with the name of an operation": """
        block softmax(x: real[d]) -> (y: real[d]) { return exp(x) / (sum d: exp(x)) }
        net N(x: real[batch, d: 4]) -> (y: real[batch, d: 4]) { return softmax(softmax(x)) }""",
    "sizes that the signature solves": """
        block half(x: real[n], w: real[m]) -> (y: real[n]) where n == 2 * m { return x * 2 + (sum m: w) }
        net N(x: real[b, n], w: real[m], z: real[c]) -> (y: real[b, n]) where n == 2 * m, c == 4 {
            return half(x, w) + (sum c: z)
        }""",
    "pipes and edges of many stages": f"""
        net N(x: real[batch, d: 4]) -> (y: real[batch, e: 3]) {{
            let h = x |> {" |> ".join(["sin()", "tanh()"] * 250)}
            return h |> layer(d -> e: 3, edge = weight >> {" >> ".join(["tanh"] * 300)})
        }}""",
    "points and their differences": """
        net N(x: point(v)[n, v: 3], u: real[n, v: 3], c: bool[n])
            -> (r: real[n, m: n, v: 3], p: real[n, v: 3], q: point(v)[n, v: 3], s: real[n, v: 3])
        {
            let r[n, m: size(n), v] = x - x[n: m]
            return r, x + u, x - u, where(c, x, x)
        }""",
    "sizes of every form": """
        net N(k = 3, heads = 2) (x: real[n, d: k * heads]) -> (y: real[n, a: max(k, heads) ^ 2 // 2, b: 2 ^ heads])
            where n % (k + 1) == 0
        {
            param w: real[a: max(k, heads) ^ 2 // 2, b: 2 ^ heads, d: k * heads] = uniform(-1, 1)
            return sum d: w * x * (size(d) + 2 * k)
        }""",
}


def assert_round_trip(source: str | Path) -> None:
    before = graph(source)
    text = print_graph(before)
    after = graph(text)
    assert list(differences(before, after)) == []
    assert same(before, after)
    assert print_graph(after) == text
    paths = [(placed.path, placed.shape) for placed in parameters(before)]
    assert [(placed.path, placed.shape) for placed in parameters(after)] == paths


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_comes_back(path: Path) -> None:
    assert_round_trip(path)


@pytest.mark.parametrize("title", NETS)
def test_comes_back(title: str) -> None:
    assert_round_trip(NETS[title])


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_text_is_canonical_and_clean(path: Path) -> None:
    text = print_graph(graph(path))
    spec = parse(Source("ir.arch", text), Findings())
    assert spec is not None
    assert format_source(spec) == text
    # a text says all that the graph holds, also what nothing reads
    assert {found.code for found in check(text)} <= {"W0701", "W0704", "W0705"}


def test_what_differs_is_named() -> None:
    one, other = (graph(f"net N(x: real[d: 4]) -> (y: real[d: 4]) {{ return {body} }}") for body in ("x + 1", "x + 2"))
    assert not same(one, other)
    assert next(differences(one, other)).startswith("N: Compute(")


def test_options_become_defaults() -> None:
    spec = "net N(width = 8) (x: real[batch, d: 4]) -> (y: real[batch, d: width]) { return x |> layer(d -> d: width) }"
    assert "net N(width: int = 16)" in print_graph(graph(spec, width=16))


def test_an_axis_that_the_text_names_may_not_be_an_input() -> None:
    (found,) = check("net N(m: real[batch, d: 3]) -> (y: real[batch, m: 4]) { return m |> layer(d -> m: 4) }")
    assert str(found) == "spec.arch:1:7: error[E0304]: `m` is both an axis and a value"


@pytest.mark.parametrize("body", ["sum h: x[n: 2 * h else 0]", "sum(y, over = k)"])
def test_an_axis_that_nothing_measures_is_refused(body: str) -> None:
    spec = f"net N(x: real[n]) -> (z: real[]) {{ let y[k] = x[n: 2 * k else 0] return {body} }}"
    assert "E0302" in [found.code for found in check(spec)]
