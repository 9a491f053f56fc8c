"""The grammar is unambiguous, and binds as the reference says."""

from __future__ import annotations

import json
import re

import pytest
from lark import Lark

from archc.base.assets import grammar, specs_root
from archc.base.diagnostic import Findings
from archc.base.span import Source
from archc.syntax import parse as parsing
from archc.syntax import tree
from archc.syntax.parse import TABLES, parse, parse_expression, parse_tables
from archc.syntax.unparse import unparse


def expression(text: str) -> tree.Expr:
    findings = Findings()
    found = parse_expression(Source("text", text), findings)
    assert found is not None, list(findings)
    return found


def definition(text: str) -> tree.Definition:
    findings = Findings()
    spec = parse(Source("text", text), findings)
    assert spec is not None, list(findings)
    return spec.definitions[0]


def test_strict() -> None:
    Lark(grammar("archc.lark"), parser="lalr", lexer="basic", start=["item", "expression"], strict=True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a == b + c", "a == (b + c)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "a - b - c"),
        ("sum j: a * b + c", "(sum j: a * b) + c"),
        ("a + sum j: b * c", "a + (sum j: b * c)"),
        ("a + sum j: b - c", "a + (sum j: b) - c"),
        ("a * b >> c", "a * (b >> c)"),
        ("silu >> weight + spline()", "(silu >> weight) + spline()"),
        ("a >> -b", "a >> (-b)"),
        ("-a ^ b", "-(a ^ b)"),
        ("a ^ -b", "a ^ (-b)"),
        ("a ^ b ^ c", "a ^ (b ^ c)"),
        ("a ^ x |> f()", "a ^ (x |> f())"),
        ("h + h |> norm() |> ffn()", "h + (h |> norm() |> ffn())"),
        ("2 * x |> f()", "2 * (x |> f())"),
        ("-x |> f()", "-(x |> f())"),
        ("x[n: m] |> f()", "(x[n: m]) |> f()"),
        ("a or b and not c == d", "a or (b and (not (c == d)))"),
        ("not a and b", "(not a) and b"),
        ("any n where a == b: x * y", "any n where (a == b): (x * y)"),
        ("repeat 2 with h { return h } |> f()", "(repeat 2 with h { return h }) |> f()"),
    ],
)
def test_precedence(text: str, meant: str) -> None:
    assert expression(text) == expression(meant)
    assert expression(unparse(expression(text))) == expression(text)


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ("a + (b + c)", "a + b + c"),
        ("(a + b) + c", "a + b + c"),
        ("(a * b) * c", "a * b * c"),
        ("(a or b) or c", "a or b or c"),
        ("(x |> f()) |> g()", "x |> f() |> g()"),
        ("(a ^ b) ^ c", "a ^ b ^ c"),
    ],
)
def test_parentheses_are_kept_where_they_matter(nested: str, flat: str) -> None:
    assert expression(nested) != expression(flat)
    assert expression(unparse(expression(nested))) == expression(nested)


@pytest.mark.parametrize(
    "text",
    [
        "a < b < c",
        "a * sum j: b",
        "sum j: sum k: a",
        "-sum j: a",
        "x |> f()[n: m]",
        "a * -sum j: b",
        "f(a,)",
        "x[i, j]",
    ],
)
def test_refused(text: str) -> None:
    findings = Findings()
    assert parse_expression(Source("text", text), findings) is None
    assert [found.code for found in findings] == ["E0100"]


def test_words_that_are_reserved_only_where_they_act() -> None:
    text = """
    block state(over: axes, min: real = 0) (shared: real[over], where: real[]) -> (sum: real[]) {
        let (using, state) = under(shared, over = over, max = 1)
        state share: real[invariant] = state
        let all = where
        state x: real[] = all
        return where(state, min(share, 2), using)
    }
    """
    body = definition(text).body
    assert [type(statement) for statement in body.statements] == [
        tree.Let,
        tree.Declaration,
        tree.Let,
        tree.Declaration,
    ]


def test_reduction_or_call() -> None:
    call = expression("sum(x, over = n)")
    assert isinstance(call, tree.Call)
    assert call.function.text == "sum"
    reduction = expression("sum m, tap.over where m <= n: x")
    assert isinstance(reduction, tree.Reduction)
    assert [axis.name.text for axis in reduction.axes] == ["m", "tap.over"]
    value = expression("layer(x, aggregate = sum)")
    assert isinstance(value, tree.Call)
    assert isinstance(value.arguments[1].value, tree.Name)


def test_arrows() -> None:
    call = expression("f(d -> h: 64, (a, b: 2) -> (), () -> k, n: 3, (h: 3, w))")
    assert isinstance(call, tree.Call)
    first, second, third, size, group = (argument.value for argument in call.arguments)
    assert isinstance(first, tree.Arrow)
    assert [axis.name.text for axis in first.source + first.target] == ["d", "h"]
    assert isinstance(second, tree.Arrow)
    assert [axis.name.text for axis in second.source] == ["a", "b"]
    assert second.target == ()
    assert isinstance(third, tree.Arrow)
    assert third.source == ()
    assert isinstance(size, tree.AxisSize)
    assert isinstance(group, tree.Group)


def test_signature() -> None:
    found = definition(
        """
        block f(J -> I, b: choice(zero, one) = one, n: int, edge: block)
               (x: (real[J], index(n)[m ~ n]), y: real[tap.over: 2 * size] = zero) -> (z: simplex(n)[n])
            where n % 2 == 0, n > 3
            claim equivariant under permute(n) * shift(h, w)
            claim invariant under flip(h)
        { return x, y }
        """
    )
    assert found.hypers[0] == tree.HyperArrow(span=found.span, source="J", target="I")
    assert [hyper.kind for hyper in found.hypers if isinstance(hyper, tree.Hyper)] == ["choice", "int", "block"]
    assert isinstance(found.inputs[0].type, tree.TupleType)
    assert found.inputs[1].default is not None
    assert len(found.conditions) == 2
    assert [len(claim.actions) for claim in found.claims] == [2, 1]
    assert len(found.body.results) == 2
    assert found.head.source.text[found.head.start : found.head.end] == "block f"


def test_empty_parentheses_are_ports_unless_ports_follow() -> None:
    assert definition("block f() -> (y: real[]) { return 1 }").inputs == ()
    assert definition("block f() (x: real[]) -> (y: real[]) { return x }").hypers == ()


def test_else_if() -> None:
    found = expression("if a { return 1 } else if b { return 2 } else { return 3 }")
    assert isinstance(found, tree.If)
    assert isinstance(found.otherwise.results[0], tree.If)


def test_spans_include_parentheses() -> None:
    found = expression("(a + b) * c")
    assert isinstance(found, tree.Product)
    assert (found.span.start, found.span.end) == (0, 11)
    assert (found.factors[0].span.start, found.factors[0].span.end) == (0, 7)


def test_reserved_words_are_those_of_the_reference() -> None:
    listed = grammar("LANGUAGE.md").split("is not one of these words:\n")[1].split("\n`over`")[0].split()
    quoted = set(re.findall(r'"([a-z]+)"', grammar("archc.lark")))
    assert set(listed) == {word for word in quoted if _is_reserved(word)}


def _is_reserved(word: str) -> bool:
    text = f"block b (x: real[]) -> (y: real[]) {{ let {word} = x return x }}"
    return parse(Source("text", text), Findings()) is None


def test_stored_tables_are_those_of_the_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m archc.syntax.parse` writes them; a stale file would not be used, and cost time at every start."""
    assert json.loads(grammar(TABLES))["grammar"] == json.loads(parse_tables())["grammar"]
    sources = [Source(str(path), path.read_text(encoding="utf-8")) for path in sorted(specs_root().rglob("*.arch"))]
    stored = [parse(source, Findings()) for source in sources]
    monkeypatch.setattr(parsing, "TABLES", "no such file")
    parsing._parser.cache_clear()
    assert stored == [parse(source, Findings()) for source in sources]
    parsing._parser.cache_clear()
