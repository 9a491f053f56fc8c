"""Which torch call a sum of products becomes."""

from __future__ import annotations

import pytest

from archc.formula.tree import Formula, Literal, Position, SizeValue
from archc.ir.node import Node
from archc.types.tensor_type import TensorType
from tests.codegen.graphs import agree, axis, block, call, compute, graph, index, param, read, size, tensor, total

SIZES = {"batch": 3, "width": 4, "n": 5, "m": 2, "h": 6, "w": 5, "e": 7, "d": 3}
B, D, H, J, M = axis("batch"), axis("d", 8), axis("h", "width"), axis("j", 6), axis("m", 5)


def body(inputs: dict[str, TensorType], nodes: list[Node], output: str = "y", **sizes: int) -> str:
    """The forward of a net that agrees with the reference, without comments."""
    net = block("net", inputs, nodes, [output], {"width": 4})
    text, _ = agree(graph(net), SIZES | sizes)
    lines = text.partition("    def forward")[2].splitlines()[1:]
    return "\n".join(code for line in lines if (code := line.partition("  # ")[0].strip()) and not code.startswith("#"))


def times(*factors: Formula) -> Formula:
    return call("mul", *factors)


def test_a_linear_layer_takes_its_bias_in() -> None:
    nodes = [param("w", tensor(H, D)), param("b", tensor(H))]
    formula = call("relu", call("add", read("b", "h"), total(times(read("w", "h", "d"), read("x", "batch", "d")), D)))
    found = body({"x": tensor(B, D)}, [*nodes, compute("y", tensor(B, H), formula)])
    assert found == "return F.relu(F.linear(x, self.w, self.b))"


def test_a_bias_is_taken_in_across_statements_but_not_where_the_sum_is_read_twice() -> None:
    nodes = [param("w", tensor(H, D)), param("b", tensor(H))]
    product = compute("s", tensor(B, H), total(times(read("w", "h", "d"), read("x", "batch", "d")), D))
    once = compute("y", tensor(B, H), call("add", read("s", "batch", "h"), read("b", "h")))
    assert body({"x": tensor(B, D)}, [*nodes, product, once]) == "return F.linear(x, self.w, self.b)"
    twice = compute(
        "y", tensor(B, H), times(call("add", read("s", "batch", "h"), read("b", "h")), read("s", "batch", "h"))
    )
    found = body({"x": tensor(B, D)}, [*nodes, product, twice])
    assert found == "s = F.linear(x, self.w)\nreturn (s + self.b) * s"


def test_several_axes_are_flattened_and_divided_again() -> None:
    head, k = axis("head", 2), axis("k", 3)
    nodes = [param("w", tensor(head, k, D)), param("v", tensor(H, head, k)), param("b", tensor(head, k))]
    first = call("add", total(times(read("w", "head", "k", "d"), read("x", "batch", "d")), D), read("b", "head", "k"))
    split = compute("q", tensor(B, head, k), first)
    merged = compute(
        "y", tensor(B, H), total(times(read("v", "h", "head", "k"), read("q", "batch", "head", "k")), head, k)
    )
    found = body({"x": tensor(B, D)}, [*nodes, split, merged])
    assert "F.linear(x, self.w.flatten(0, 1), self.b.flatten()).unflatten(-1, (2, 3))" in found
    assert "F.linear(q.flatten(1), self.v.flatten(1))" in found


def test_a_kan_layer_is_two_linear_maps_and_no_tensor_over_both_units() -> None:
    nodes = [param("w", tensor(H, J)), param("c", tensor(H, J, M))]
    spline = total(times(read("c", "h", "j", "m"), read("phi", "batch", "j", "m")), M)
    formula = total(call("add", times(read("w", "h", "j"), call("silu", read("x", "batch", "j"))), spline), J)
    found = body({"x": tensor(B, J), "phi": tensor(B, J, M)}, [*nodes, compute("y", tensor(B, H), formula)])
    assert found == "return F.linear(F.silu(x), self.w) + F.linear(phi.flatten(1), self.c.flatten(1))"


def test_a_scale_on_every_edge_joins_the_weights() -> None:
    nodes = [param("s", tensor(H, J)), param("c", tensor(H, J, M))]
    inner = total(times(read("c", "h", "j", "m"), read("basis", "batch", "j", "m")), M)
    formula = total(times(read("s", "h", "j"), call("add", call("silu", read("x", "batch", "j")), inner)), J)
    found = body({"x": tensor(B, J), "basis": tensor(B, J, M)}, [*nodes, compute("y", tensor(B, H), formula)])
    assert found.count("F.linear") == 2
    assert "self.s.unsqueeze(-1) * self.c" in found or "self.c * self.s.unsqueeze(-1)" in found


def test_a_sum_that_spans_its_axes_is_not_multiplied_out() -> None:
    nodes = [param("w", tensor(H, J)), param("b", tensor(J))]
    formula = total(times(read("w", "h", "j"), call("add", read("x", "batch", "j"), read("b", "j"))), J)
    found = body({"x": tensor(B, J)}, [*nodes, compute("y", tensor(B, H), formula)])
    assert found == "return F.linear(x + self.b, self.w)"


def test_a_choice_between_edges_is_a_product_for_each_branch() -> None:
    nodes = [param("a", tensor(H, J)), param("c", tensor(H, J, M))]
    held = call("gt", read("x", "batch", "j"), 0)
    series = total(times(read("c", "h", "j", "m"), read("phi", "batch", "j", "m")), M)
    line = times(read("a", "h", "j"), read("x", "batch", "j"))
    inputs = {"x": tensor(B, J), "phi": tensor(B, J, M)}
    found = body(inputs, [*nodes, compute("y", tensor(B, H), total(call("where", held, line, series), J))])
    assert found.count("F.linear") == 2
    assert "einsum" not in found
    found = body(inputs, [*nodes, compute("y", tensor(B, H), total(call("where", held, 0.0, line), J))])
    assert found.splitlines()[-1] == "return F.linear(torch.where(~(x > 0), x, 0.0), self.a)"


def test_a_branch_that_is_not_taken_may_be_infinite() -> None:
    """log is not a number where the mask fails: on a factor with the mask's axes it is masked, on another it stays in
    its branch."""
    a, held = read("a", "h", "j"), call("gt", read("x", "batch", "j"), 0)
    line = times(a, call("log", read("x", "batch", "j")), call("reciprocal", call("relu", read("x", "batch", "j"))))
    found = body(
        {"x": tensor(B, J)},
        [param("a", tensor(H, J)), compute("y", tensor(B, H), total(call("where", held, line, a), J))],
    )
    assert "einsum" not in found
    line = times(a, call("log", read("z", "j")))
    found = body(
        {"x": tensor(B, J), "z": tensor(J)},
        [
            param("a", tensor(H, J)),
            compute("y", tensor(B, H), total(call("where", call("gt", read("z", "j"), 0), line, a), J)),
        ],
    )
    held = call("and", held, call("gt", read("z", "j"), 0))
    found = body(
        {"x": tensor(B, J), "z": tensor(J)},
        [param("a", tensor(H, J)), compute("y", tensor(B, H), total(call("where", held, line, a), J))],
    )
    assert "F.linear" not in found


def test_a_square_of_a_sum_stays_one() -> None:
    inner = total(read("x", "batch", "j"), J)
    formula = total(times(inner, inner, read("z", "k")), axis("k", 3))
    body({"x": tensor(B, J), "z": tensor(axis("k", 3))}, [compute("y", tensor(B), formula)])


def test_attention_is_two_batched_products_in_the_natural_order() -> None:
    n, m, head, k = axis("n"), axis("m"), axis("head", 2), axis("k", 3)
    scores = call("div", total(times(read("q", "n", "head", "k"), read("key", "m", "head", "k")), k), call("sqrt", 3))
    nodes = [
        compute("a", tensor(n, head, m), call("sigmoid", scores)),
        compute("y", tensor(n, head, k), total(times(read("a", "n", "head", "m"), read("val", "m", "head", "k")), m)),
    ]
    found = body({"q": tensor(n, head, k), "key": tensor(m, head, k), "val": tensor(m, head, k)}, nodes)
    assert 'torch.einsum("nhk,mhk->hnm", q, key)' in found
    assert '"hnm,mhk->nhk", a, val)' in found


def test_the_cheaper_order_of_three_factors() -> None:
    n, m, k, v = axis("n"), axis("m"), axis("k", 2), axis("v", 3)
    formula = total(times(read("q", "n", "k"), read("key", "m", "k"), read("val", "m", "v")), k, m)
    inputs = {"q": tensor(n, k), "key": tensor(m, k), "val": tensor(m, v)}
    found = body(inputs, [compute("y", tensor(n, v), formula)])
    assert found.startswith("return q @ torch.einsum(")


def test_matrices_that_lie_right_are_multiplied_as_they_are() -> None:
    n, i, o = axis("n"), axis("i", 4), axis("o", 3)
    inputs = {"x": tensor(B, n, i), "w": tensor(B, i, o)}
    formula = total(times(read("x", "batch", "n", "i"), read("w", "batch", "i", "o")), i)
    assert body(inputs, [compute("y", tensor(B, n, o), formula)]) == "return x @ w"


def test_channels_of_a_grid_are_mixed_by_a_convolution_of_one_tap() -> None:
    c, h, w = axis("c", 3), axis("h"), axis("w")
    nodes = [param("k", tensor(axis("o", "width"), c)), param("b", tensor(axis("o", "width")))]
    formula = call("add", read("b", "o"), total(times(read("k", "o", "c"), read("x", "batch", "c", "h", "w")), c))
    found = body({"x": tensor(B, c, h, w)}, [*nodes, compute("y", tensor(B, axis("o", "width"), h, w), formula)])
    assert found == "return F.conv2d(x, self.k[..., None, None], self.b)"


def test_a_mean_of_one_factor_is_a_mean_and_of_a_product_a_contraction() -> None:
    n = axis("n")
    mean = compute("y", tensor(B), total(read("x", "batch", "n"), n, kind="mean"))
    assert body({"x": tensor(B, n)}, [mean]) == "return x.mean(-1)"
    product = compute("y", tensor(B), total(times(read("x", "batch", "n"), read("z", "n")), n, kind="mean"))
    found = body({"x": tensor(B, n), "z": tensor(n)}, [product])
    assert "x @ z / n" in found


def padded(position: str, tap: str, step: int = 1, dilation: int = 1, offset: int = 1) -> Formula:
    return call("sub", call("add", call("mul", step, Position(position)), call("mul", dilation, Position(tap))), offset)


def around(position: str, tap: str, length: str, offset: int) -> Formula:
    return call("mod", padded(position, tap, offset=offset), SizeValue(size(length)))


HALF = (axis("p", (size("h") - 1) // 2 + 1), axis("q", (size("w") - 1) // 2 + 1))
WHOLE = (axis("p", "h"), axis("q", "w"))
INNER = (axis("p", size("h") - 2), axis("q", size("w") - 2))


@pytest.mark.parametrize(
    ("indices", "outside", "out", "taps", "expected"),
    [
        ((padded("p", "s", offset=0), padded("q", "t", offset=0)), None, INNER, 3, "F.conv2d(x, self.K, self.b)"),
        ((padded("p", "s"), padded("q", "t")), 0.0, WHOLE, 3, "F.conv2d(x, self.K, self.b, padding=1)"),
        ((padded("p", "s"), padded("q", "t")), 1.5, WHOLE, 3, "F.pad(x, (1, 1, 1, 1), value=1.5)"),
        ((padded("p", "s", 2), padded("q", "t", 2)), 0.0, HALF, 3, "F.conv2d(x, self.K, self.b, stride=2, padding=1)"),
        ((padded("p", "s", 1, 2, 2), padded("q", "t", 1, 2, 2)), 0.0, WHOLE, 3, "padding=2, dilation=2)"),
        ((around("p", "s", "h", 1), around("q", "t", "w", 1)), None, WHOLE, 3, '(1, 1, 1, 1), mode="circular")'),
        ((around("p", "s", "h", 2), around("q", "t", "w", 2)), None, WHOLE, 5, "% h"),
        (
            (padded("p", "s"), around("q", "t", "w", 1)),
            0.0,
            WHOLE,
            3,
            "torch.cat((x[..., -1:], x, x[..., :1]), 3)",
        ),
    ],
)
def test_windows_under_a_kernel_are_a_convolution(
    indices: tuple[Formula, Formula], outside: float | None, out: tuple, taps: int, expected: str
) -> None:
    c, k, s, t = axis("c", 3), axis("k", "width"), axis("s", taps), axis("t", taps)
    beyond = None if outside is None else Literal(outside)
    entry = read("x", "batch", "c", *indices, outside=beyond)
    formula = call("add", read("b", "k"), total(times(read("K", "k", "c", "s", "t"), entry), c, s, t))
    nodes = [param("K", tensor(k, c, s, t)), param("b", tensor(k))]
    inputs = {"x": tensor(B, c, axis("h"), axis("w"))}
    found = body(inputs, [*nodes, compute("y", tensor(B, k, *out), formula)])
    assert expected in found
    if out is WHOLE:
        body(inputs, [*nodes, compute("y", tensor(B, k, *out), formula)], h=1, w=2)


def test_a_kernel_per_channel_is_a_grouped_convolution() -> None:
    c, t = axis("c", 3), axis("t", 3)
    entry = read("x", "batch", "c", padded("p", "t"), outside=Literal(0.0))
    formula = total(times(read("K", "c", "t"), entry), t)
    found = body(
        {"x": tensor(B, c, axis("h"))},
        [param("K", tensor(c, t)), compute("y", tensor(B, c, axis("p", "h")), formula)],
    )
    assert found == "return F.conv1d(x, self.K.unsqueeze(1), padding=1, groups=3)"


def test_a_causal_mean_masks_the_smallest_factor() -> None:
    n = axis("n")
    m = axis("m", "n")
    where = call("le", Position("m"), Position("n"))
    formula = total(times(read("a", "n", "m"), read("v", "m", "d")), m, where=where)
    found = body({"a": tensor(n, axis("j", "n")), "v": tensor(n, D)}, [compute("y", tensor(n, D), formula)])
    assert "torch.where(" in found
    assert found.rstrip().endswith("@ v")


def test_messages_are_added_where_they_point() -> None:
    n, e = axis("n"), axis("e")
    inputs = {"x": tensor(n, D), "src": index(n, e), "dst": index(n, e)}
    where = call("eq", read("dst", "e"), Position("n"))
    message = compute("message", tensor(e, D), call("tanh", read("x", read("src", "e"), "d")))
    for kind, word in (("sum", "index_add(0, dst, "), ("mean", ".clamp(min=1)"), ("max", '"amax"')):
        formula = total(read("message", "e", "d"), e, where=where, kind=kind)
        inbox = formula if kind != "max" else call("tanh", formula)
        found = body(inputs, [message, compute("y", tensor(n, D), inbox)])
        assert word in found
        assert "x.index_select(0, src)" in found


def test_batched_pointers_are_scattered_and_gathered() -> None:
    n, e = axis("n"), axis("e")
    inputs = {"x": tensor(B, n), "src": index(n, B, e), "dst": index(n, B, e)}
    where = call("eq", read("dst", "batch", "e"), Position("n"))
    formula = total(read("x", "batch", read("src", "batch", "e")), e, where=where)
    assert "scatter_add(1, dst," in body(inputs, [compute("y", tensor(B, n), formula)])


@pytest.mark.parametrize(
    ("position", "length", "outside", "expected"),
    [
        (call("mod", call("add", Position("p"), 1), SizeValue(size("n"))), "n", None, "return x.roll(-1, 1)"),
        (call("floordiv", Position("p"), 2), 2 * size("n"), None, "return x.repeat_interleave(2, 1)"),
        (call("add", Position("p"), 1), size("n") - 1, None, "return x[:, 1:]"),
        (call("mul", 2, Position("p")), (size("n") + 1) // 2, None, "::2]"),
        (call("sub", SizeValue(size("n") - 1), Position("p")), "n", None, "return x.flip(-1)"),
        (call("sub", Position("p"), 1), "n", 0.0, "return F.pad(x, (1, -1))"),
        (SizeValue(size("n") - 1), None, None, "return x[:, -1]"),
    ],
)
def test_indices_that_are_views(position: Formula, length: object, outside: float | None, expected: str) -> None:
    axes = (B,) if length is None else (B, axis("p", length))
    formula = read("x", "batch", position, outside=None if outside is None else Literal(outside))
    found = body({"x": tensor(B, axis("n"))}, [compute("y", tensor(*axes), formula)])
    assert expected in found


def test_windows_without_a_kernel_are_unfolded() -> None:
    t = axis("t", 3)
    entry = read("x", "batch", call("add", call("mul", 2, Position("p")), Position("t")))
    formula = total(entry, t, kind="max")
    found = body({"x": tensor(B, axis("n", 9))}, [compute("y", tensor(B, axis("p", 4)), formula)])
    assert found == "return x.unfold(1, 3, 2).amax(-1)"
