"""Every feature of the language in a small net: accepted, built, and equal to the reference forward and backward."""

from __future__ import annotations

import pytest

import archc
from archc.run.verify import verify

LAYER = "net N (x: real[batch, n, d: 6]) -> (y: real[batch, n, k: 4]) {{ return x |> layer(d -> k: 4{}) }}"

FEATURES: dict[str, str] = {
    "names of python": """
        net N (x: real[batch, self: 3], net_: real[batch]) -> (y: real[batch, self: 3]) {
            let h[batch, self: 3] = 2 * x
            let v = repeat 2 as scope with names = h { return names |> layer(self -> self) + scope }
            let z = repeat 2 as self_ with cls = v { return cls |> layer(self -> self) + self_ }
            return z + net_
        }""",
    "carry and label named self": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            let h = repeat 2 with self = x { return self |> layer(d -> d) }
            return repeat 2 as self with h { return h |> layer(d -> d) + self }
        }""",
    "no input": "net N () -> (y: real[]) { return 1 }",
    "block without input": """
        block one () -> (y: real[]) { return 1 }
        net N (x: real[batch]) -> (y: real[batch]) { return x + one() }""",
    "negative powers of whole numbers": """
        net N (x: int[batch, d: 3]) -> (y: real[batch, d: 3]) {
            return (x * x + 1) ^ -2 + 2 ^ -1 + size(d) ^ -1
        }""",
    "assumption that is true": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            assume true
            return x
        }""",
    "bias none": LAYER.format(", bias = none"),
    "neuron": LAYER.format(", neuron = gelu"),
    "neuron with attribute": LAYER.format(", neuron = leaky_relu(slope = 0.3)"),
    "neuron block": LAYER.format(", neuron = prelu"),
    "mean": LAYER.format(", aggregate = mean, edge = weight >> tanh"),
    "max": LAYER.format(", aggregate = max"),
    "min": LAYER.format(", aggregate = min"),
    "prod": LAYER.format(", aggregate = prod"),
    "logsumexp": LAYER.format(", aggregate = logsumexp"),
    "lehmer": LAYER.format(", aggregate = lehmer(2), edge = weight >> exp"),
    "random wiring": LAYER.format(", wiring = random(0.5, 7)"),
    "grouped wiring": LAYER.format(", wiring = groups(2)"),
    "grouped splines": LAYER.format(", wiring = groups(2), edge = spline(grid = 3, order = 2)"),
    "init": LAYER.format(", init = glorot"),
    "init of a number": LAYER.format(", init = 0.1"),
    "init with numbers": LAYER.format(", init = uniform(-1, 1)"),
    "init with a fan": LAYER.format(", edge = spline(grid = 4) + weight, init = kaiming(fan_in = 64)"),
    "init by choice": """
        block f(start: choice(zero, normal)) (x: real[d]) -> (y: real[d]) { return x |> layer(d -> d, init = start) }
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) { return x |> f(start = normal) }""",
    "edge sum": LAYER.format(", edge = silu >> weight + spline(grid = 4) - 0.5 * chebyshev(degree = 3)"),
    "edge chain": LAYER.format(", edge = weight >> tanh >> weight"),
    "tied edge": LAYER.format(", edge = tied(spline(grid = 3), groups = 2) >> weight"),
    "scaled edge": LAYER.format(", edge = 3 * weight"),
    "mask wiring": """
        net N (x: real[batch, d: 3], keep: bool[k: 4, d: 3]) -> (y: real[batch, k: 4]) {
            return x |> layer(d -> k: 4, wiring = mask(keep))
        }""",
    "real mask": """
        net N (x: real[batch, d: 3], m: real[k: 4, d_in: 3]) -> (y: real[batch, k: 4]) {
            return x[d: d_in] |> layer(d_in -> k: 4, wiring = mask(m))
        }""",
    "pointer into another axis": """
        net N (x: real[batch, n: 3], z: real[batch, m: 7], p: index(m)[batch]) -> (y: real[batch]) {
            return x[n: p else 2] + z[m: p]
        }""",
    "one to one": """
        net N (x: real[batch, d: 5]) -> (y: real[batch, d: 5]) {
            return x |> layer(d -> d, wiring = one_to_one, edge = spline(grid = 3))
        }""",
    "one to one renamed": """
        net N (x: real[batch, d: 5]) -> (y: real[batch, k: 5]) {
            return x |> layer(d -> k: 5, wiring = one_to_one)
        }""",
    "several unit axes": """
        net N (x: real[batch, a: 2, b: 3, t]) -> (y: real[batch, t, c: 2, b: 5]) {
            return x |> layer((a, b) -> (c: 2, b: 5))
        }""",
    "no unit axes": """
        net N (x: real[batch, n]) -> (y: real[batch, n]) {
            return x |> layer(() -> k: 5, neuron = tanh) |> layer(k -> ())
        }""",
    "bias field": """
        net N (x: real[batch, c: 2, h: 4, w: 3]) -> (y: real[batch, c: 3, h: 4, w: 3]) {
            return x |> layer(c -> c: 3, edge = conv(over = (h, w)), bias = field)
        }""",
    "open bias field": """
        net N (x: real[batch, c: 2, h]) -> (y: real[batch, c: 3, h]) {
            return x |> layer(c -> c: 3, edge = conv(over = h), bias = field)
        }""",
    "conv stride": """
        net N (x: real[batch, c: 2, h, w]) -> (y: real[batch, c: 3, h: (h - 1) // 2 + 1, w: (w - 1) // 2 + 1]) {
            return x |> layer(c -> c: 3, edge = conv(over = (h, w), size = 3, stride = 2))
        }""",
    "conv 1d and lifted": """
        net N (x: real[a, batch, c: 2, t]) -> (y: real[a, batch, c: 3, t]) {
            return x |> layer(c -> c: 3, edge = conv(over = t, size = 5, boundary = periodic), neuron = relu)
        }""",
    "kan convolution": """
        net N (x: real[batch, c: 2, h, w]) -> (y: real[batch, c: 3, h, w]) {
            return x |> layer(c -> c: 3, edge = silu >> conv(over = (h, w)))
        }""",
    "grouped conv": """
        net N (x: real[batch, c: 4, h]) -> (y: real[batch, c: 6, h]) {
            return x |> layer(c -> c: 6, edge = conv(over = h), wiring = groups(2))
        }""",
    "depthwise conv": """
        net N (x: real[batch, c: 4, h, w]) -> (y: real[batch, c: 4, h, w]) {
            return x |> layer(c -> c, edge = conv(over = (h, w)), wiring = one_to_one)
        }""",
    "value named weight": """
        net N (x: real[batch, d: 4]) -> (y: real[batch, k: 3]) {
            param weight: real[k: 3, d: 4]
            return layer(x, d -> k: 3) + (sum d: weight * x)
        }""",
    "merge of axes as long as hyper-parameters": """
        block fan(heads: int, width: int) (x: real[n, d]) -> (y: real[n, head: heads, k: width]) {
            return x |> layer(d -> (head: heads, k: width))
        }
        net N (heads = 3, width = 2) (x: real[n, d: 3]) -> (y: real[n, d: heads * width]) {
            return x |> fan(heads = heads, width = width) |> merge((head, k) -> d)
        }""",
    "shared repeat": """
        net N (depth = 3) (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            return repeat depth shared with x { return x |> layer(d -> d, neuron = tanh) }
        }""",
    "two carries": """
        net N (depth = 2) (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            let (u, v) = repeat depth with u = x, v = 0.5 * x {
                let w = u |> layer(d -> d, neuron = sin)
                return v, w + x
            }
            return u * v
        }""",
    "numbered repeat": """
        net N (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            return repeat 3 as l with x { return x + (l + 1) * layer(x, d -> d, neuron = tanh) }
        }""",
    "nested repeat": """
        net N (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
            return repeat 2 with x {
                let z = repeat 2 with z = x { return z |> layer(d -> d, neuron = tanh) }
                return x + z
            }
        }""",
    "shared block": """
        use std.mlp
        net N (a: real[batch, d: 3], b: real[batch, d: 3]) -> (y: real[batch]) {
            share f = mlp(d -> k: 4, width = 5, depth = 1)
            return sum k: f(a) * f(b)
        }""",
    "shared layer": """
        net N (a: real[batch, d: 3], b: real[batch, d: 3]) -> (y: real[batch]) {
            share f = layer(d -> k: 4, neuron = tanh)
            return sum k: f(a) * f(b)
        }""",
    "static if": """
        net N (deep: bool = true, mode: choice(sum, mean) = mean) (x: real[batch, n, d: 4]) -> (y: real[batch, d: 4]) {
            let h = if deep { return x |> layer(d -> d, neuron = relu) } else { return x }
            return if mode == mean { return mean(h, over = n) } else { return sum(h, over = n) }
        }""",
    "static recursion": """
        block tree(level: int) (x: real[d]) -> (y: real[d]) {
            return if level == 0 { return x |> layer(d -> d) } else {
                return tree(x, level = level - 1) + tree(x, level = level - 1) |> layer(d -> d, neuron = tanh)
            }
        }
        net N (levels = 2) (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) { return tree(x, level = levels) }
        """,
    "constant": """
        net N (x: real[batch, n: 6, d: 4]) -> (y: real[batch, n: 6, d: 4]) {
            const wave: real[n: 6, d: 4] = sin(n / (d + 1))
            return x + wave
        }""",
    "random features": """
        net N (x: real[batch, d: 4]) -> (y: real[batch, k: 6]) {
            const F: real[k: 6, d: 4] = normal(1.0)
            return cos(sum d: F * x)
        }""",
    "outer product declared": """
        net N (x: real[batch, n, v: 3]) -> (y: real[batch, n, m: n]) {
            let r[batch, n, m, v] = x - x[n: m]
            return sum v: r * r
        }""",
    "causal": """
        net N (a: real[batch, n, m: n], v: real[batch, m: n, d: 2]) -> (y: real[batch, n, d: 2]) {
            let y[batch, n, d] = sum m where m <= n: a * v
            return y
        }""",
    "causal maximum": """
        net N (a: real[batch, n]) -> (y: real[batch, n]) {
            let y[batch, n] = max m where m <= n: a[n: m]
            return y
        }""",
    "neighbour mean": """
        net N (x: real[n, d: 3], src: index(n)[e: 9], dst: index(n)[e: 9]) -> (y: real[n, d: 3]) {
            let total[n, d] = sum e where dst == n: x[n: src]
            let count[n] = sum e where dst == n: where(dst >= 0, 1, 0)
            return total / max(count, 1)
        }""",
    "batched graph": """
        net N (x: real[batch, n, d: 3], src: index(n)[batch, e], dst: index(n)[batch, e]) -> (y: real[batch, n, d: 3]) {
            let y[batch, n, d] = sum e where dst == n: x[n: src]
            return y
        }""",
    "edge softmax": """
        net N (s: real[e], dst: index(n)[e], x: real[n]) -> (y: real[e]) {
            let top[n] = max e where dst == n: s
            let w = exp(s - top[n: dst])
            let z[n] = sum e where dst == n: w
            return w / z[n: dst] + x[n: dst]
        }""",
    "pointer pair": """
        net N (x: real[h: 5, w: 4], i: index(h)[b], j: index(w)[b]) -> (y: real[b]) { return x[h: i, w: j] }""",
    "strided slice": """
        net N (x: real[batch, h]) -> (y: real[batch, h: h // 2]) where h % 2 == 0 {
            let y[batch, h: size(h) // 2] = x[h: 2 * h] - x[h: 2 * h + 1]
            return y
        }""",
    "roll and mirror": """
        net N (x: real[batch, h]) -> (y: real[batch, h]) {
            return x[h: (h + 1) % size(h)] + 2 * x[h: size(h) - 1 - h] + 3 * x[h: h - 2 else 0.5]
        }""",
    "position": "net N (x: real[batch, n]) -> (y: real[batch, n]) { return x * (n + 1) / size(n) }",
    "assume": """
        net N (x: real[batch, n]) -> (y: real[batch, n]) { assume x <= 10  assume n >= 1  return x }""",
    "where and compare": """
        net N (x: real[batch, d: 5]) -> (y: real[batch, d: 5]) { return where(x > 0 and not (x > 0.5), x ^ 2, -x) }""",
    "two outputs": """
        block both() (x: real[d]) -> (s: real[], m: real[]) { return sum(x, over = d), max(x, over = d) }
        net N (x: real[batch, d: 5]) -> (s: real[batch], m: real[batch]) {
            let (a, b) = both(x)
            return a * b, a - b
        }""",
    "lifted name clash": """
        block f() (x: real[d]) -> (y: real[]) {
            param w: real[k: 3, d]
            return sum k: tanh(sum d: w * x)
        }
        net N (x: real[k: 4, m: 2, d: 3]) -> (y: real[k: 4, m: 2]) { return f(x) }""",
    "edge name clash": """
        block cheby(degree: int) (x: real[]) -> (y: real[]) {
            param c: real[m: degree + 1] = normal(0.1)
            return sum m: c * cos(m * x)
        }
        net N (x: real[m: 4, d: 3]) -> (y: real[m: 4, k: 2]) { return x |> layer(d -> k: 2, edge = cheby(degree = 2)) }
        """,
    "block as edge": """
        block tiny() (x: real[]) -> (y: real[]) {
            param a: real[h: 3]
            param b: real[h: 3]
            return sum h: b * tanh(a * x)
        }
        net N (x: real[batch, d: 3]) -> (y: real[batch, k: 2]) { return x |> layer(d -> k: 2, edge = tiny) }""",
    "edge hyper": """
        block stack(E: edge, act: activation = tanh) (x: real[d]) -> (y: real[d]) {
            return x |> layer(d -> d, edge = E, neuron = act)
        }
        net N (grid = 4) (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            return x |> stack(E = spline(grid = grid)) |> stack(E = weight, act = sin)
        }""",
    "block hyper": """
        block twice(f: block) (x: real[d]) -> (y: real[d]) { return f(f(x)) }
        block step() (x: real[d]) -> (y: real[d]) { return x |> layer(d -> d, neuron = tanh) }
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) { return twice(x, f = step) }""",
    "pipe in sum": "net N (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) { return x + x |> norm(over = d) }",
    "integer arithmetic": """
        net N (x: real[batch, n], i: index(n)[batch]) -> (y: real[batch]) { return x[n: (i + 1) % size(n)] }""",
    "port default size": """
        net N (width = 8, heads = 2) (x: real[batch, d: width]) -> (y: real[batch, head: heads, k: width // heads])
            where width % heads == 0 { return x |> split(d -> (head: heads, k: width // heads)) }""",
    "derived sizes": """
        net N (x: real[batch, n, d: 4], z: real[batch, m, d: 4]) -> (y: real[batch, n: n + m, d: 4]) {
            return concat(x, z[m: n], over = n)
        }""",
    "twin axis": """
        net N (a: real[batch, n, m ~ n], x: real[batch, n]) -> (y: real[batch, n]) {
            let s[batch, n] = sum m: a * x[n: m]
            return s + (sum m: a)
        }""",
    "a sum over positions alone": """
        net N (count = 5) (x: real[batch]) -> (y: real[batch]) {
            return sum k < count, l < 2 where k > l: cos(k * x) * (1 / (l + 1))
        }""",
    "grid axes named like what a library text calls its own": """
        net N (u: real[batch, c: 2, x: 5, kernel: 6]) -> (v: real[batch, c: 2, x: 5, kernel: 6]) {
            return u |> layer(c -> c, edge = conv(over = (x, kernel), size = 3))
        }""",
    "reductions": """
        net N (x: real[batch, n, d: 4]) -> (y: real[batch]) {
            return (logsumexp n, d: x) + (mean n, d: x) + (max n, d: x) - (min n, d: x) + (prod d: mean(x, over = n))
        }""",
}


@pytest.mark.parametrize("name", FEATURES)
def test_feature(name: str) -> None:
    text = FEATURES[name]
    assert [str(found) for found in archc.check(text)] == []
    report = verify(archc.graph(text), archc.build(text))
    assert report.ok, report.to_json()


@pytest.mark.parametrize(
    ("name", "call"),
    [("grouped wiring", "torch.einsum("), ("grouped splines", "torch.einsum("), ("grouped conv", "groups=2")],
)
def test_groups_are_one_batched_product(name: str, call: str) -> None:
    """No copy of the inputs for every outgoing unit, and no index."""
    forward = archc.build(FEATURES[name]).partition("    def forward")[2]
    assert forward.count(call) == 1
    assert "_position, " not in forward
    assert "picked" not in forward
