"""Long texts are read whole, deep ones are refused at the place where they become too deep; no walk recurses far."""

from __future__ import annotations

import sys

import pytest

from archc.base.diagnostic import Diagnostic, Findings
from archc.base.limits import Limits
from archc.base.span import Source
from archc.syntax import tree
from archc.syntax.parse import parse, parse_expression
from archc.syntax.unparse import format_source, unparse

HEAD = "block b (x: real[]) -> (y: real[]) { "


def refusal(text: str, limits: Limits | None = None) -> Diagnostic:
    findings = Findings()
    assert parse_expression(Source("text", text), findings, limits or Limits()) is None
    (finding,) = findings
    return finding


def accepted(text: str) -> tree.Expr:
    findings = Findings()
    found = parse_expression(Source("text", text), findings)
    assert found is not None, list(findings)
    return found


@pytest.mark.parametrize(
    ("operator", "sort", "length"), [("+", tree.Sum, 10_000), ("*", tree.Product, 2_000), ("|>", tree.Pipe, 2_000)]
)
def test_long_chains(operator: str, sort: type[tree.Tree], length: int) -> None:
    found = accepted(f" {operator} ".join(["x"] * length))
    assert isinstance(found, sort)
    assert accepted(unparse(found)) == found


def test_10000_statements() -> None:
    source = Source("text", HEAD + "let x = f(x)  # again\n" * 10_000 + "return x }")
    findings = Findings()
    spec = parse(source, findings)
    assert spec is not None
    assert len(spec.definitions[0].body.statements) == 10_000
    assert len(spec.comments) == 10_000
    assert format_source(spec).count("# again") == 10_000


@pytest.mark.parametrize(
    ("opener", "closer", "width"),
    [
        ("(", ")", 1),
        ("f(", ")", 2),
        ("-", "", 1),
        ("not ", "", 4),
        ("2^", "", 2),
        ("f(1 + ", ")", 6),
        ("x[n: ", "]", 5),
    ],
)
def test_64_deep_and_no_deeper(opener: str, closer: str, width: int) -> None:
    found = accepted(opener * 64 + "x" + closer * 64)
    assert accepted(unparse(found)) == found
    finding = refusal(opener * 65 + "x" + closer * 65)
    assert finding.code == "E0902"
    assert 64 * width <= finding.span.start < 65 * width


@pytest.mark.parametrize(
    "text",
    [
        "x" + "[n: m]" * 100,
        "if a { return b } else " * 100 + "{ return c }",
        "repeat 2 with h { return " * 100 + "h" + "}" * 100,
        "f(a or b and not c < d + (sum i: 2 * E >> -x^2 |> g(" * 40 + "x" + ")))" * 40,
        "(" * 100_000,
        "{" * 100_000,
        "-" * 10_000 + "x",
    ],
    ids=["index", "else if", "repeat", "all", "open", "braces", "minus"],
)
def test_no_deeper_by_other_ways(text: str) -> None:
    assert refusal(text).code in ("E0902", "E0102")


def test_the_deepest_trees_are_walked_within_the_stack() -> None:
    level = "f(a or b and not c < d + (sum i: 2 * E >> -x^2 |> g("
    depth = next(depth for depth in range(1, 65) if _is_refused(level * depth + "x" + ")))" * depth)) - 1
    limit = sys.getrecursionlimit()
    found = accepted(level * depth + "x" + ")))" * depth)
    assert accepted(unparse(found)) == found
    assert sys.getrecursionlimit() == limit


def _is_refused(text: str) -> bool:
    return parse_expression(Source("text", text), Findings()) is None


def test_tokens() -> None:
    limits = Limits(tokens=10)
    findings = Findings()
    assert parse_expression(Source("text", "x" + " + x" * 4), findings, limits) is not None
    finding = refusal("x" + " + x" * 5, limits)
    assert finding.code == "E0903"
    assert finding.span.column == 21


def test_size() -> None:
    assert refusal("x" * 11, Limits(file_bytes=10)).code == "E0901"


def test_many_faults_take_linear_time() -> None:
    findings = Findings()
    assert parse(Source("text", (HEAD + "return 1 + }\n") * 2000), findings) is None
    assert len(findings) == 2000
