"""Writing a tree and reading it back gives the tree; writing what was written changes nothing; no comment is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

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
T = TypeVar("T")
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

SOFT = ("over", "under", "equivariant", "invariant", "sum", "max", "any")
AXIS_WORDS = ("n", "m", "tap", *SOFT)
WORDS = ("x", "h", "d_model", "N2", "_", "netting", *SOFT, "state", "share", "shared", "using", "where")
REDUCERS = ("sum", "mean", "prod", "max", "min", "logsumexp", "any", "all")


class Trees:
    """Random trees of every kind that the parser can give; `fuel` bounds how many nodes one may have."""

    def __init__(self, seed: int, fuel: int) -> None:
        self.random = Random(seed)
        self.fuel = fuel

    def pick(self, *choices: T) -> T:
        return self.random.choice(choices)

    def maybe(self, make: Callable[[], T]) -> T | None:
        return make() if self.random.random() < 0.5 else None

    def some(self, make: Callable[[], T], least: int = 0) -> tuple[T, ...]:
        return tuple(make() for _ in range(self.random.randint(least, least + 2)))

    def word(self) -> str:
        return self.pick(*WORDS)

    def name(self) -> tree.Name:
        return tree.Name(span=NOWHERE, parts=self.some(self.word, 1))

    def axis_name(self) -> tree.Name:
        return tree.Name(span=NOWHERE, parts=(self.pick(*AXIS_WORDS), *self.some(self.word)))

    def number(self) -> tree.Number:
        real = self.random.random() * 10.0 ** self.random.randint(-300, 300)
        value = self.pick(0, 7, self.random.randint(0, 2**53 - 1), real)
        return tree.Number(span=NOWHERE, value=value, text=repr(value))

    def leaf(self) -> tree.Expr:
        truth = tree.Truth(span=NOWHERE, value=self.pick(True, False))
        text = tree.Text(span=NOWHERE, value=self.pick("", "a b", "# no comment", "{\\"))
        return self.pick(self.name(), self.name(), self.number(), truth, text)

    def expression(self) -> tree.Expr:
        self.fuel -= 1
        if self.fuel <= 0 or self.random.random() < 0.2:
            return self.leaf()
        sorts = (
            *(self.group, self.call, self.pipe, self.index, self.reduction, self.choose, self.loop),
            *(self.prefix, self.power, self.sum, self.product, self.compose, self.compare, self.logic),
        )
        return self.pick(*sorts)()

    def group(self) -> tree.Expr:
        items = self.pick((), self.some(self.pick(self.expression, self.sized), 2), (self.sized(),))
        return tree.Group(span=NOWHERE, items=items)

    def sized(self) -> tree.AxisSize:
        return tree.AxisSize(span=NOWHERE, name=self.name(), size=self.expression())

    def axis(self) -> tree.AxisSize:
        return tree.AxisSize(span=NOWHERE, name=self.name(), size=self.maybe(self.expression))

    def arrow(self) -> tree.Arrow:
        return tree.Arrow(span=NOWHERE, source=self.some(self.axis), target=self.some(self.axis))

    def argument(self) -> tree.Argument:
        name = self.maybe(self.word)
        value = self.expression() if name else self.pick(self.expression, self.sized, self.arrow)()
        return tree.Argument(span=NOWHERE, name=name, value=value)

    def call(self) -> tree.Call:
        return tree.Call(span=NOWHERE, function=self.name(), arguments=self.some(self.argument))

    def pipe(self) -> tree.Expr:
        stages = self.some(self.pick(self.call, self.name), 1)
        return tree.Pipe(span=NOWHERE, stages=(self.expression(), *stages))

    def index(self) -> tree.Expr:
        entries = self.some(lambda: tree.IndexEntry(span=NOWHERE, axis=self.name(), value=self.expression()), 1)
        return tree.Index(span=NOWHERE, value=self.expression(), entries=entries, outside=self.maybe(self.expression))

    def reduction(self) -> tree.Expr:
        return tree.Reduction(
            span=NOWHERE,
            kind=self.pick(*REDUCERS),
            axes=self.some(self.bound_axis, 1),
            condition=self.maybe(self.expression),
            body=self.expression(),
        )

    def bound_axis(self) -> tree.BoundAxis:
        return tree.BoundAxis(span=NOWHERE, name=self.axis_name(), size=self.maybe(self.expression))

    def prefix(self) -> tree.Expr:
        negated = tree.Logic(span=NOWHERE, operator="not", operands=(self.expression(),))
        return self.pick(negated, tree.Negate(span=NOWHERE, operand=self.expression()))

    def power(self) -> tree.Expr:
        return tree.Power(span=NOWHERE, base=self.expression(), exponent=self.expression())

    def sum(self) -> tree.Expr:
        terms = self.some(self.expression, 2)
        return tree.Sum(span=NOWHERE, terms=terms, signs=("+", *(self.pick("+", "-") for _ in terms[1:])))

    def product(self) -> tree.Expr:
        factors = self.some(self.expression, 2)
        operators = ("*", *(self.pick("*", "/", "//", "%") for _ in factors[1:]))
        return tree.Product(span=NOWHERE, factors=factors, operators=operators)

    def compose(self) -> tree.Expr:
        return tree.Compose(span=NOWHERE, stages=self.some(self.expression, 2))

    def compare(self) -> tree.Expr:
        operator = self.pick("==", "!=", "<", "<=", ">", ">=")
        return tree.Compare(span=NOWHERE, operator=operator, left=self.expression(), right=self.expression())

    def logic(self) -> tree.Expr:
        return tree.Logic(span=NOWHERE, operator=self.pick("and", "or"), operands=self.some(self.expression, 2))

    def choose(self) -> tree.Expr:
        return tree.If(span=NOWHERE, condition=self.expression(), then=self.body(), otherwise=self.body())

    def loop(self) -> tree.Expr:
        carries = self.some(lambda: tree.Carry(span=NOWHERE, name=self.word(), initial=self.maybe(self.expression)), 1)
        body, solver = self.body(), self.maybe(self.call)
        count, label, shared = self.expression(), self.maybe(self.word), self.pick(True, False)
        return self.pick(
            tree.Repeat(span=NOWHERE, count=count, label=label, shared=shared, carries=carries, body=body),
            tree.Scan(span=NOWHERE, axis=self.axis(), carries=carries, solver=solver, body=body),
            tree.Fixpoint(span=NOWHERE, carries=carries, solver=solver, body=body),
        )

    def axis_type(self) -> tree.AxisType:
        if self.pick(True, False):
            name = tree.Name(span=NOWHERE, parts=(self.word(),))
            return tree.AxisType(span=NOWHERE, name=name, size=None, twin=self.word())
        return tree.AxisType(span=NOWHERE, name=self.name(), size=self.maybe(self.expression), twin=None)

    def type(self) -> tree.Type:
        axes = self.some(self.axis_type)
        return tree.Type(span=NOWHERE, kind=self.word(), of=self.maybe(self.expression), axes=axes)

    def any_type(self) -> tree.Type | tree.TupleType:
        items = self.some(self.type, 1)
        return self.pick(items[0], tree.TupleType(span=NOWHERE, items=items))

    def statement(self) -> tree.Statement:
        value, type, names = self.expression(), self.type(), self.some(self.word, 2)
        return self.pick(
            tree.Let(span=NOWHERE, names=names[:1], axes=self.maybe(lambda: type.axes), value=value),
            tree.Let(span=NOWHERE, names=names, axes=None, value=value),
            tree.Declaration(span=NOWHERE, role="param", names=names, type=type, initial=self.maybe(lambda: value)),
            tree.Declaration(span=NOWHERE, role=self.pick("const", "state"), names=names[:1], type=type, initial=value),
            tree.Share(span=NOWHERE, name=names[0], value=value),
            tree.Emit(span=NOWHERE, value=value),
            tree.Assume(span=NOWHERE, condition=value),
        )

    def body(self) -> tree.Body:
        return tree.Body(span=NOWHERE, statements=self.some(self.statement), results=self.some(self.expression, 1))

    def hyper(self) -> tree.Hyper | tree.HyperArrow:
        kind = self.pick(None, "int", "block", "choice")
        choices = self.some(self.word, 1) if kind == "choice" else ()
        default = self.maybe(self.expression)
        return self.pick(
            tree.Hyper(span=NOWHERE, name=self.word(), kind=kind, choices=choices, default=default),
            tree.HyperArrow(span=NOWHERE, source=self.word(), target=self.word()),
        )

    def port(self) -> tree.Port:
        return tree.Port(span=NOWHERE, name=self.word(), type=self.any_type(), default=self.maybe(self.expression))

    def claim(self) -> tree.Claim:
        actions = self.some(
            lambda: tree.Action(span=NOWHERE, group=self.word(), arguments=self.some(self.expression)), 1
        )
        sort, condition = self.pick("equivariant", "invariant"), self.maybe(self.expression)
        return tree.Claim(span=NOWHERE, sort=sort, actions=actions, condition=condition)

    def definition(self) -> tree.Definition:
        return tree.Definition(
            span=NOWHERE,
            head=NOWHERE,
            role=self.pick("net", "block"),
            name=self.word(),
            hypers=self.some(self.hyper),
            inputs=self.some(self.port),
            outputs=self.some(self.port),
            conditions=self.some(self.expression),
            claims=self.some(self.claim),
            body=self.body(),
        )


seeds = st.integers(0, 2**64 - 1)


@settings(max_examples=120)
@given(seeds, st.sampled_from((20, 100, 1000)))
def test_any_expression(seed: int, width: int) -> None:
    expression = Trees(seed, fuel=40).expression()
    text = unparse(expression, width)
    findings = Findings()
    again = parse_expression(Source("text", text), findings)
    assert again == expression, (text, list(findings))
    assert unparse(again, width) == text


@settings(max_examples=60)
@given(seeds)
def test_any_definition(seed: int) -> None:
    definition = Trees(seed, fuel=80).definition()
    text = unparse(definition)
    spec = read(text)
    assert spec.definitions == (definition,)
    assert format_source(spec) == text + "\n"


# comments anywhere

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e-?\d+)?|->|\|>|>>|//|[=!<>]=|\S")


@settings(max_examples=50)
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
    assert sorted(comments(again)) == sorted(comments(commented))
    assert format_source(again) == formatted
