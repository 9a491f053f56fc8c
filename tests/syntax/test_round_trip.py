"""Writing a tree and reading it back gives the tree; writing what was written changes nothing; no comment is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.base.assets import grammar, specs_root
from archc.base.diagnostic import Findings
from archc.base.span import Source, Span
from archc.syntax import tree
from archc.syntax.parse import parse, parse_expression
from archc.syntax.unparse import format_source, unparse

SPECS = [*sorted(specs_root().rglob("*.arch")), *sorted(Path(__file__).parent.joinpath("future").glob("*.arch"))]
NOWHERE = Span(Source("", ""), 0, 0)


def read(text: str) -> tree.Spec:
    findings = Findings()
    spec = parse(Source("spec.arch", text), findings)
    assert spec is not None, list(findings)
    return spec


def comments(spec: tree.Spec) -> list[str]:
    return [comment.text.rstrip() for comment in spec.comments]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs(path: Path) -> None:
    spec = read(path.read_text())
    text = format_source(spec)
    again = read(text)
    assert again == spec
    assert comments(again) == comments(spec)
    assert format_source(again) == text
    assert read(unparse(spec)) == spec
    assert all(len(line) <= 100 or line.lstrip().startswith("#") for line in text.splitlines())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_spans_cover_their_text(path: Path) -> None:
    spec = read(path.read_text())
    for definition in spec.definitions:
        assert definition.span.source.text[definition.span.start :].startswith(definition.role)
        assert definition.span.source.text[definition.span.end - 1] == "}"
        for statement in definition.body.statements:
            text = statement.span.source.text[statement.span.start : statement.span.end]
            wrapped = f"block b (x: real[]) -> (y: real[]) {{ {text} return x }}"
            assert read(wrapped).definitions[0].body.statements == (statement,)


@pytest.mark.parametrize("text", re.findall(r"```arch\n(.*?)```", grammar("LANGUAGE.md"), re.DOTALL))
def test_examples_of_the_reference(text: str) -> None:
    spec = read(text)
    assert spec.definitions or spec.uses
    assert read(format_source(spec)) == spec


@pytest.mark.parametrize("text", re.findall(r"```arch-expr\n(.*?)```", grammar("LANGUAGE.md"), re.DOTALL))
def test_expressions_of_the_reference(text: str) -> None:
    for line in re.split(r"\n(?=\S)", text.strip()):
        findings = Findings()
        expression = parse_expression(Source("reference", line), findings)
        assert expression is not None, list(findings)


# random trees

soft = ("over", "under", "equivariant", "invariant", "sum", "max", "any")
words = st.sampled_from(("x", "h", "d_model", "N2", "_", "netting", *soft, "state", "share", "shared", "using", "where"))
axis_words = st.sampled_from(("n", "m", "tap", *soft))


def node(kind: type[tree.Tree], /, **parts: st.SearchStrategy[object]) -> st.SearchStrategy[tree.Tree]:
    return st.builds(kind, span=st.just(NOWHERE), **parts)


def tuples(each: st.SearchStrategy[object], least: int = 0) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(each, min_size=least, max_size=least + 2).map(tuple)


def optional(each: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | each


def number(value: int | float) -> tree.Number:
    return tree.Number(span=NOWHERE, value=value, text=repr(value))


names = node(tree.Name, parts=tuples(words, 1))
axis_names = st.builds(lambda first, rest: tree.Name(span=NOWHERE, parts=(first, *rest)), axis_words, tuples(words))
numbers = st.builds(number, st.integers(0, 2**53 - 1) | st.floats(0, allow_infinity=False, allow_nan=False))
texts = node(tree.Text, value=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]).filter('"'.__ne__)))
leaves = names | numbers | node(tree.Truth, value=st.booleans()) | texts


def chain(sort: type[tree.Tree], parts: str, marks: str, first: str, others: str, each) -> st.SearchStrategy[tree.Tree]:
    def build(items: tuple[object, ...], data: list[str]) -> tree.Tree:
        return sort(span=NOWHERE, **{parts: items, marks: (first, *data[: len(items) - 1])})

    operators = st.lists(st.sampled_from(others.split()), min_size=4, max_size=4)
    return st.builds(build, tuples(each, 2), operators)


def larger(each: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    sized = node(tree.AxisSize, name=names, size=each)
    axis = sized | node(tree.AxisSize, name=names, size=st.none())
    arrow = node(tree.Arrow, source=tuples(axis), target=tuples(axis))
    argument = node(tree.Argument, name=words, value=each)
    argument |= node(tree.Argument, name=st.none(), value=each | sized | arrow)
    call = node(tree.Call, function=names, arguments=tuples(argument))
    group = node(tree.Group, items=st.just(()) | tuples(each | sized, 2) | st.tuples(sized))
    entry = node(tree.IndexEntry, axis=names, value=each)
    body = bodies(each)
    carries = tuples(node(tree.Carry, name=words, initial=optional(each)), 1)
    loop = {"carries": carries, "body": body}
    solver = optional(call)
    kinds = st.sampled_from(("sum", "mean", "prod", "max", "min", "logsumexp", "any", "all"))
    comparisons = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
    return st.one_of(
        group,
        call,
        node(tree.Negate, operand=each),
        node(tree.Power, base=each, exponent=each),
        chain(tree.Sum, "terms", "signs", "+", "+ -", each),
        chain(tree.Product, "factors", "operators", "*", "* / // %", each),
        node(tree.Compose, stages=tuples(each, 2)),
        st.builds(
            lambda first, rest: tree.Pipe(span=NOWHERE, stages=(first, *rest)), each, tuples(call | names, 1)
        ),
        node(tree.Compare, operator=comparisons, left=each, right=each),
        node(tree.Logic, operator=st.sampled_from(("and", "or")), operands=tuples(each, 2)),
        node(tree.Logic, operator=st.just("not"), operands=st.tuples(each)),
        node(tree.Reduction, kind=kinds, axes=tuples(axis_names, 1), condition=optional(each), body=each),
        node(tree.Index, value=each, entries=tuples(entry, 1), outside=optional(each)),
        node(tree.Repeat, count=each, label=optional(words), shared=st.booleans(), **loop),
        node(tree.Scan, axis=axis, solver=solver, **loop),
        node(tree.Fixpoint, solver=solver, **loop),
        node(tree.If, condition=each, then=body, otherwise=body),
    )


def types(each: st.SearchStrategy[object]) -> st.SearchStrategy[tree.Tree]:
    twin = node(
        tree.AxisType, name=words.map(lambda word: tree.Name(span=NOWHERE, parts=(word,))), size=st.none(), twin=words
    )
    axis = twin | node(tree.AxisType, name=names, size=optional(each), twin=st.none())
    return node(tree.Type, kind=words, of=optional(each), axes=tuples(axis))


def statements(each: st.SearchStrategy[object]) -> st.SearchStrategy[tree.Tree]:
    kind = types(each)
    axes = kind.map(lambda type: type.axes)
    return st.one_of(
        node(tree.Let, names=st.tuples(words), axes=optional(axes), value=each),
        node(tree.Let, names=tuples(words, 2), axes=st.none(), value=each),
        node(tree.Declaration, role=st.just("param"), names=tuples(words, 1), type=kind, initial=optional(each)),
        node(tree.Declaration, role=st.sampled_from(("const", "state")), names=st.tuples(words), type=kind, initial=each),
        node(tree.Share, name=words, value=each),
        node(tree.Emit, value=each),
        node(tree.Assume, condition=each),
    )


def bodies(each: st.SearchStrategy[object]) -> st.SearchStrategy[tree.Tree]:
    return node(tree.Body, statements=tuples(statements(each)), results=tuples(each, 1))


expressions = st.recursive(leaves, larger, max_leaves=8)


def definitions() -> st.SearchStrategy[tree.Tree]:
    kind = types(expressions)
    any_type = kind | node(tree.TupleType, items=tuples(kind, 1))
    plain = node(
        tree.Hyper,
        name=words,
        kind=optional(st.sampled_from(("int", "block", "edge"))),
        choices=st.just(()),
        default=optional(expressions),
    )
    choice = node(
        tree.Hyper, name=words, kind=st.just("choice"), choices=tuples(words, 1), default=optional(expressions)
    )
    hyper = plain | choice | node(tree.HyperArrow, source=words, target=words)
    ports = tuples(node(tree.Port, name=words, type=any_type, default=optional(expressions)))
    action = node(tree.Action, group=words, arguments=tuples(expressions))
    claim = node(tree.Claim, sort=st.sampled_from(("equivariant", "invariant")), actions=tuples(action, 1))
    return node(
        tree.Definition,
        role=st.sampled_from(("net", "block")),
        name=words,
        hypers=tuples(hyper),
        inputs=ports,
        outputs=ports,
        conditions=tuples(expressions),
        claims=tuples(claim),
        body=bodies(expressions),
        head=st.just(NOWHERE),
    )


@settings(max_examples=150)
@given(expressions, st.sampled_from((20, 100, 1000)))
def test_any_expression(expression: tree.Expr, width: int) -> None:
    text = unparse(expression, width)
    findings = Findings()
    again = parse_expression(Source("text", text), findings)
    assert again == expression, (text, list(findings))
    assert unparse(again, width) == text


@settings(max_examples=50)
@given(definitions())
def test_any_definition(definition: tree.Definition) -> None:
    text = unparse(definition)
    spec = read(text)
    assert spec.definitions == (definition,)
    assert format_source(spec) == text + "\n"


# comments anywhere

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|->|\|>|>>|//|[=!<>]=|\S")


@settings(max_examples=100)
@given(st.data())
def test_comments_anywhere(data: st.DataObject) -> None:
    original = data.draw(st.sampled_from(SPECS)).read_text()
    bare = re.sub("#.*", "", original)
    spec = read(bare)
    ends = [match.end() for match in TOKEN.finditer(bare)]
    places = data.draw(st.lists(st.sampled_from([0, *ends]), max_size=6, unique=True))
    text = bare
    for number, place in sorted(enumerate(places), key=lambda pair: -pair[1]):
        before = data.draw(st.sampled_from(("", " ", "\n", "\n\n    ")))
        text = f"{text[:place]}{before}# comment {number}\n{text[place:]}"
    commented = read(text)
    assert commented == spec
    formatted = format_source(commented)
    again = read(formatted)
    assert again == spec
    assert comments(again) == comments(commented)
    assert format_source(again) == formatted
