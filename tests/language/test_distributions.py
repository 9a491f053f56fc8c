"""Which values are distributions: what softmax gives, as long as the whole axis stays."""

from __future__ import annotations

import pytest

import archc
from archc.run.verify import verify

HEAD = "net N (x: real[batch, m, n: 4]) -> (y: {}) {{ let p = softmax(x, over = n) "

KEPT = {
    "as it is": HEAD.format("simplex(n)[batch, m, n: 4]") + "return p }",
    "under another name": HEAD.format("simplex(k)[batch, m, k: 4]") + "return p[n: k] }",
    "picked along another axis": HEAD.format("simplex(n)[batch, n: 4]") + "return p[m: 0] }",
    "through a block": """
        block same (p: simplex(n)[n]) -> (q: simplex(n)[n]) { return p }
        net N (x: real[batch, n]) -> (y: simplex(n)[batch, n]) { return softmax(x, over = n) |> same() }""",
    "along an axis that a hyper-parameter names": """
        block gate (over: axes) (x: real[over]) -> (p: simplex(over)[over]) { return softmax(x, over = over) }
        net N (x: real[batch, n]) -> (y: simplex(n)[batch, n]) { return x |> gate(over = n) }""",
    "at each pass of a loop": """
        net N (x: real[batch, t, n: 4]) -> (y: simplex(n)[batch, n: 4]) {
            let p = softmax(x, over = n)
            return scan over t with h = 0 { return h + p } |> softmax(over = n)
        }""",
}

LOST = {
    "arithmetic": HEAD.format("real[batch, m, n: 4]") + "return 2 * p + 1 }",
    "some of its entries": HEAD.format("real[batch, m, k: 2]") + "let y[batch, m, k: 2] = p[n: k + 1] return y }",
    "the first entries": HEAD.format("real[batch, m, k: 2]") + "let y[batch, m, k: 2] = p[n: k] return y }",
    "one entry": HEAD.format("real[batch, m]") + "return p[n: 2] }",
    "zeros outside": HEAD.format("real[batch, m, n: 4]") + "let q[batch, m, n] = p[m: m + 1 else 0] return q }",
    "over two axes": """
        net N (x: real[batch, m, n: 4]) -> (y: real[batch, m, n: 4]) { return softmax(x, over = (m, n)) }""",
    "a layer": HEAD.format("real[batch, m, n: 4]") + "return p |> layer(n -> n) }",
    "a layer's wires": HEAD.format("real[batch, m, k: 4]")
    + "return p |> layer(n -> k: 4, wiring = groups(2), edge = identity, bias = none) }",
    "concatenation": HEAD.format("real[batch, m, n: 8]") + "return concat(p, p, over = n) }",
    "sliced by a loop": """
        net N (x: real[batch, n]) -> (y: real[batch, n]) {
            let p = softmax(x, over = n)
            let (h, y) = scan over n with h = 0 { let h = h + p emit h return h }
            return y
        }""",
    "carried": HEAD.format("real[batch, m, n: 4]") + "return repeat 2 with p { return p + 1 } }",
}


@pytest.mark.parametrize("text", [*KEPT.values(), *LOST.values()], ids=[*KEPT, *LOST])
def test_net_computes_what_the_reference_does(text: str) -> None:
    report = verify(archc.graph(text), archc.build(text), regimes=("primes",))
    assert report.ok, report.to_json()


@pytest.mark.parametrize("text", LOST.values(), ids=LOST)
def test_what_is_no_distribution_is_not_taken_for_one(text: str) -> None:
    declared = text.partition("-> (y: real[")[2].partition("]")[0]
    axis = declared.split(", ")[-1].split(":")[0]
    (found,) = archc.check(text.replace(f"-> (y: real[{declared}]", f"-> (y: simplex({axis})[{declared}]"))
    assert found.code == "E0330"


def test_a_distribution_over_another_axis_is_refused() -> None:
    block = "block pick (p: simplex(n)[n], x: real[n]) -> (y: real[]) { return sum n: p * x }"
    net = "net N (x: real[batch, n]) -> (y: real[batch]) { return pick(softmax(x, over = AXIS), x) }"
    assert not archc.check(f"{block}\n{net.replace('AXIS', 'n')}")
    (found,) = archc.check(f"{block}\n{net.replace('AXIS', 'batch')}")
    assert found.code == "E0330"
