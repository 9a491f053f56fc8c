"""Contractions of gathered values: before the gathering where that takes less, and the same numbers either way."""

from __future__ import annotations

import pytest

from archc.driver import build, graph
from archc.readings.cost import cost
from archc.run.verify import verify
from archc.types.size import Size

RELATIONS = """net N(relations = 3)
        (x: real[n, d: 4], src: index(n)[e], rel: index(relations)[e]) -> (y: real[e, k: 5]) {
    param W: real[r: relations, d: 4, k: 5]
    let y[e, k] = sum d: W[r: rel] * x[n: src]
    return y
}"""
BATCHED = """net N(x: real[batch, n, d: 4], src: index(n)[e], rel: index(3)[e]) -> (y: real[batch, e, k: 5]) {
    param W: real[r: 3, d: 4, k: 5]
    let y[batch, e, k] = sum d: W[r: rel] * x[n: src]
    return y
}"""
PAIRS = """net N(x: real[n: 3, d: 4], src: index(3)[e], dst: index(3)[e]) -> (y: real[e]) {
    return sum d: x[n: src] * x[n: dst]
}"""
TRIPLES = """net N(x: real[n: 3, d: 4], z: real[m: 2, d: 4], src: index(3)[e, f], dst: index(2)[e]) -> (y: real[e, f]) {
    let y[e, f] = sum d: x[n: src] * z[m: dst]
    return y
}"""
MANY = """net N(x: real[n, d: 4], src: index(n)[e], dst: index(n)[e]) -> (y: real[e]) {
    return sum d: x[n: src] * x[n: dst]
}"""
WORDS = """net N(word: index(7)[t]) -> (y: real[t, k: 5]) {
    param table: real[row: 7, d: 4]
    param W: real[k: 5, d: 4]
    let y[t, k] = sum d: W * table[row: word]
    return y
}"""
WEIGHED = """net N(x: real[n: 3, d: 4], w: real[e, d: 4], src: index(3)[e]) -> (y: real[e]) {
    return sum d: w * x[n: src]
}"""
SUMMED = """net N(x: real[n: 3, d: 4], src: index(3)[e], dst: index(3)[e]) -> (y: real[]) {
    return sum e, d: x[n: src] * x[n: dst]
}"""

EARLY = {"relations": RELATIONS, "pairs": PAIRS, "triples": TRIPLES}
LATE = {"batched": BATCHED, "many": MANY, "words": WORDS, "weighed": WEIGHED, "summed": SUMMED}


@pytest.mark.parametrize("spec", [*EARLY.values(), *LATE.values()], ids=[*EARLY, *LATE])
def test_computes_the_formula(spec: str) -> None:
    report = verify(graph(spec), build(spec))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


def _is_early(spec: str) -> bool:
    """Whether the last thing done is to gather."""
    (last,) = (line for line in build(spec).splitlines() if line.lstrip().startswith("return "))
    return "index_select(0, picked)" in last or "[src, dst]" in last or "src, dst.unsqueeze(-1)]" in last


@pytest.mark.parametrize("spec", EARLY.values(), ids=[*EARLY])
def test_gathers_products(spec: str) -> None:
    assert _is_early(spec), build(spec)


@pytest.mark.parametrize("spec", LATE.values(), ids=[*LATE])
def test_gathers_factors(spec: str) -> None:
    assert not _is_early(spec), build(spec)


def test_costs_one_product_for_every_node() -> None:
    n, relations = Size.symbol("n"), Size.symbol("relations")
    assert cost(graph(RELATIONS)).net.contractions.formula == 2 * n * relations * 4 * 5
