"""What arithmetic is done while compiling, and what is left for the run."""

from __future__ import annotations

import pytest

from archc.driver import graph
from archc.ir.graph import TypedGraph
from archc.ir.text import print_graph
from archc.passes.fold_constants import FoldConstants


def net(expression: str) -> TypedGraph:
    """A net that computes the expression of a real x, whole i, and reals that tell the size n."""
    ports = "x: real[d: 4], i: index(n)[d: 4], like: real[n]"
    return graph(f"net N(k = 3) ({ports}) -> (y: real[d: 4]) {{ let z[d] = {expression} return z * x }}")


def written(typed: TypedGraph) -> str:
    """How the text of the graph writes z."""
    _, _, rest = print_graph(typed).partition("let z[d: 4] =")
    return " ".join(rest.partition("let y")[0].split())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x * (2 + 3)", "x * 5"),
        ("x * (7 - 2 * 3)", "x"),
        ("x * (1 / 4)", "x * 0.25"),
        ("x * (7 // 2) + 7 % 4", "x * 3 + 3"),
        ("x * 2 ^ 10", "x * 1024"),
        ("x * (0.5 + 0.25)", "x * 0.75"),
        ("x * 1", "x"),
        ("1 * x * 1.0", "x"),
        ("x / 1 + 0", "x"),
        ("x - 0", "x"),
        ("x ^ 1 + 0.0", "x"),
        ("-(-x)", "x"),
        ("i // 1 + 0", "i"),
        ("x * size(2 * d)", "x * 8"),
        ("x * (k + 2 * k)", "x * size(3 * k)"),
        ("x * (size(like, n) * 2 - k)", "x * size(2 * size(like, n) - k)"),
        ("x * (sum e: x[d: e] * 1) * x[d: 1 + 1 * 2]", "x * (sum e: x[d: e]) * x[d: 3]"),
        ("where(true, x, x + 1)", "x"),
    ],
)
def test_folds(before: str, after: str) -> None:
    assert written(FoldConstants().apply(net(before)).graph) == after


@pytest.mark.parametrize(
    "expression",
    [
        "x * 0",  # not 0 where x is infinite
        "x - x",
        "0 / x",
        "x + 2 + 3",  # sums keep their order: the last digits depend on it
        "0 - x",
        "x ^ 0",
        "i * 1.0",  # a real number, though its entries are whole
        "i / 1",
    ],
)
def test_leaves(expression: str) -> None:
    before = net(expression)
    assert FoldConstants().apply(before).graph == before
