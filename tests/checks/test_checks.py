"""Each check finds its fault, with the place of it, and nothing in what is sound."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from archc.base.assets import specs_root
from archc.base.diagnostic import Diagnostic
from archc.checks.check import Check
from archc.checks.registry import CHECKS
from archc.checks.too_many_parameters import TooManyParametersCheck
from archc.driver import check, examine, graph

SPECS = sorted(specs_root().rglob("*.arch"))


def found(spec: str) -> list[tuple[str, str, int]]:
    """Code, text at the place, and line of every finding."""
    return [(one.code, spec[one.span.start : one.span.end], one.span.line) for one in check(spec)]


@pytest.mark.parametrize("entry", CHECKS, ids=lambda entry: entry.word)
def test_states_what_it_is(entry: type[Check]) -> None:
    assert inspect.getdoc(entry)
    assert getattr(entry, "__final__", False)


def test_explains_its_diagnostics() -> None:
    stated = [one for one in Diagnostic.catalogue.values() if one.__module__.startswith("archc.checks")]
    assert len(stated) == len(CHECKS)
    for one in stated:
        assert "# wrong" in inspect.getdoc(one)
        assert "# right" in inspect.getdoc(one)
        assert one.severity in (("warning", "note") if one.code.startswith("W") else ("error",))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_specs_of_the_house_are_sound(path: Path) -> None:
    assert [found for found in check(path) if found.severity != "note"] == []


def test_unused_values() -> None:
    spec = """net N(x: real[d: 4]) -> (y: real[d: 4]) {
        let a = exp(x)
        let b = exp(x)
        let b = exp(x)
        let _c = exp(x)
        let b = b + x
        share f = layer(d -> d)
        return b
    }"""
    assert found(spec) == [("W0701", "a", 2), ("W0701", "b", 3), ("W0701", "f", 7)]


def test_a_value_that_only_one_branch_reads_is_read() -> None:
    spec = """net N(deep: bool = false) (x: real[d: 4]) -> (y: real[d: 4]) {
        let a = exp(x)
        return if deep { let b = a return a } else { return repeat 2 with x { let c = x return x + x } }
    }"""
    assert found(spec) == [("W0701", "b", 3), ("W0701", "c", 3)]


def test_one_of_several_results_is_enough() -> None:
    spec = """block two(x: real[d]) -> (a: real[d], b: real[d]) { return x + x, exp(x) }
    net N(x: real[d: 4]) -> (y: real[d: 4]) {
        let (a, b) = two(x)
        let (p, q) = two(x)
        return a
    }"""
    assert found(spec) == [("W0701", "p", 4)]


def test_unused_parameters() -> None:
    spec = """net N(x: real[d: 4]) -> (y: real[d: 4]) {
        param a, b: real[d: 4]
        const c: real[d: 4] = d
        return x * a
    }"""
    assert found(spec) == [("W0702", "b", 2), ("W0702", "c", 3)]
    assert [one.message for one in check(spec)] == [
        "the parameter `b` is never read",
        "the constant `c` is never read",
    ]


def test_unused_inputs() -> None:
    spec = """block f(x: real[d], like: real[m]) -> (y: real[d, m]) { let y[d, m] = x return y }
    net N(x: real[d: 4], t: real[d: 4], like: real[m], _mask: real[d: 4]) -> (y: real[d: 4, m]) { return f(x, like) }"""
    assert found(spec) == [("W0703", "t", 2)]


def test_unused_hyper_parameters() -> None:
    spec = """block f(a: int, b: int, c: bool = true, e: real = 1.0) (x: real[d]) -> (y: real[d: a]) where b >= 1 {
        return if c { return x |> layer(d -> d: a) } else { return x |> layer(d -> d: a) }
    }
    net N(width = 8, deep = 2, other = width) (x: real[d: 4]) -> (y: real[d: 8]) { return f(x, a = 8, b = deep) }"""
    assert found(spec) == [("W0704", "e", 1), ("W0704", "other", 4)]


def test_a_spec_with_errors_is_not_searched() -> None:
    assert {code for code, _, _ in found("net N(x: real[d]) -> (y: real[d]) { let a = x return z }")} == {"E0201"}


def test_too_many_parameters() -> None:
    spec = "net N(w = 1000000) (x: real[d: 64]) -> (y: real[d: w]) { return x |> layer(d -> d: w) |> layer(d -> d) }"
    (one,) = check(spec.replace("1000000", "2000000"))
    assert (one.code, one.message) == (
        "E0908",
        "`N` has 4,000,132,000,000 parameters, and at most 1,099,511,627,776 are allowed",
    )
    assert check(spec) == ()


def test_the_limit_counts_every_pass() -> None:
    spec = """net N(depth = 3) (x: real[d: 10]) -> (y: real[d: 10]) {
        return repeat depth with x { return x |> layer(d -> d, bias = none) }
    }"""
    assert list(TooManyParametersCheck(limit=300).find(graph(spec))) == []
    assert len(list(TooManyParametersCheck(limit=299).find(graph(spec)))) == 1


def test_parameters_as_large_as_an_input_are_not_counted() -> None:
    spec = "net N(x: real[n]) -> (y: real[n]) { param w: real[n, m: 1000000000000000] return sum m: w * x }"
    assert check(spec) == ()


def test_claims_are_counted() -> None:
    assert examine(specs_root() / "attention" / "attention.arch").claims == 4
