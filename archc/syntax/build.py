"""The tree, built while the parser runs: one method for each rule of the grammar, called with its parts in order.

Parts are tokens (strings that know their offsets) and nodes built before. Nothing here recurses, so no text is too deep
or too long for it; a chain arrives as one flat list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from archc.base.diagnostic import Fault
from archc.base.span import Source, Span
from archc.syntax import tree
from archc.syntax.faults import UnexpectedToken


class Lexeme(Protocol):
    """A token of the parser; it is a string too."""

    type: str
    start_pos: int
    end_pos: int


class Part(NamedTuple):
    """A list between brackets, on its way into a node."""

    items: tuple[Any, ...]
    span: Span


class Head(NamedTuple):
    """`block NAME`."""

    role: str
    name: str
    span: Span


Parts = list[Any]
Node = TypeVar("Node")


def _nodes(parts: Iterable[Any], sort: type[Node]) -> tuple[Node, ...]:
    return tuple(part for part in parts if isinstance(part, sort))


def _names(parts: Iterable[Any]) -> tuple[str, ...]:
    """Every second part of `a, b, c`."""
    return tuple(str(part) for part in list(parts)[::2])


def _expressions(parts: Iterable[Any]) -> tuple[tree.Expr, ...]:
    return tuple(part for part in parts if not isinstance(part, str))


def _after(parts: Parts, word: str) -> Any:
    """The part that follows a token, None where the token is absent."""
    for at, part in enumerate(parts):
        if isinstance(part, str) and part == word:
            return parts[at + 1]
    return None


class TreeBuilder:
    """Callbacks of the parser; `source` is the text being parsed."""

    source: Source

    def _span(self, parts: Parts) -> Span:
        first, last = parts[0], parts[-1]
        start = cast("Lexeme", first).start_pos if isinstance(first, str) else first.span.start
        end = cast("Lexeme", last).end_pos if isinstance(last, str) else last.span.end
        return Span(self.source, start, end)

    # files

    def item(self, parts: Parts) -> tree.Use | tree.Definition:
        return cast("tree.Use | tree.Definition", parts[0])

    def expression(self, parts: Parts) -> tree.Expr:
        return cast("tree.Expr", parts[0])

    def use(self, parts: Parts) -> tree.Use:
        path = parts[1].parts if isinstance(parts[1], tree.Name) else str(parts[1])[1:-1]
        alias = _after(parts[2:], "as")
        return tree.Use(span=self._span(parts), path=path, alias=str(alias) if alias else None)

    def head(self, parts: Parts) -> Head:
        return Head(str(parts[0]), str(parts[1]), self._span(parts))

    def definition(self, parts: Parts) -> tree.Definition:
        head: Head = parts[0]
        before, after = parts[1 : parts.index("->")], parts[parts.index("->") + 1 :]
        conditions = _nodes(after[1:], Part)
        return tree.Definition(
            span=self._span(parts),
            head=head.span,
            role=head.role,
            name=head.name,
            hypers=before[0].items if len(before) == 2 else (),
            inputs=before[-1].items,
            outputs=after[0].items,
            conditions=conditions[0].items if conditions else (),
            claims=_nodes(after, tree.Claim),
            body=after[-1],
        )

    def hypers(self, parts: Parts) -> Part:
        return Part(_expressions(parts), self._span(parts))

    ports = hypers
    conditions = hypers
    type_axes = hypers

    def hyper(self, parts: Parts) -> tree.Hyper:
        written = _after(parts[1:3], ":")
        kind, choices = ("choice", written.items) if isinstance(written, Part) else (written, ())
        return tree.Hyper(
            span=self._span(parts),
            name=str(parts[0]),
            kind=str(kind) if kind else None,
            choices=choices,
            default=parts[-1] if len(parts) > 2 and parts[-2] == "=" else None,
        )

    def hyper_arrow(self, parts: Parts) -> tree.HyperArrow:
        return tree.HyperArrow(span=self._span(parts), source=str(parts[0]), target=str(parts[2]))

    def choice(self, parts: Parts) -> Part:
        return Part(_names(parts[2:-1]), self._span(parts))

    def port(self, parts: Parts) -> tree.Port:
        default = parts[4] if len(parts) > 3 else None
        return tree.Port(span=self._span(parts), name=str(parts[0]), type=parts[2], default=default)

    def claim(self, parts: Parts) -> tree.Claim:
        actions, condition = _nodes(parts, tree.Action), _after(parts, "if")
        return tree.Claim(span=self._span(parts), sort=str(parts[1]), actions=actions, condition=condition)

    def action(self, parts: Parts) -> tree.Action:
        return tree.Action(span=self._span(parts), group=str(parts[0]), arguments=_expressions(parts))

    # types

    def type(self, parts: Parts) -> tree.Type:
        of = parts[2] if len(parts) > 2 else None
        return tree.Type(span=self._span(parts), kind=str(parts[0]), of=of, axes=parts[-1].items)

    def tuple_type(self, parts: Parts) -> tree.TupleType:
        items = cast("tuple[tree.Type | tree.TupleType, ...]", _expressions(parts))
        return tree.TupleType(span=self._span(parts), items=items)

    def axis_type(self, parts: Parts) -> tree.AxisType:
        return tree.AxisType(span=self._span(parts), name=parts[0], size=_after(parts, ":"), twin=None)

    def twin_axis(self, parts: Parts) -> tree.AxisType:
        name = tree.Name(span=self._span(parts[:1]), parts=(str(parts[0]),))
        return tree.AxisType(span=self._span(parts), name=name, size=None, twin=str(parts[2]))

    # statements

    def body(self, parts: Parts) -> tree.Body:
        at = next(at for at, part in enumerate(parts) if isinstance(part, str) and part == "return")
        statements = cast("tuple[tree.Statement, ...]", tuple(parts[1:at]))
        return tree.Body(span=self._span(parts), statements=statements, results=_expressions(parts[at:]))

    def let(self, parts: Parts) -> tree.Let:
        axes = parts[2].items if isinstance(parts[2], Part) else None
        return tree.Let(span=self._span(parts), names=(str(parts[1]),), axes=axes, value=parts[-1])

    def tuple_let(self, parts: Parts) -> tree.Let:
        return tree.Let(span=self._span(parts), names=_names(parts[2:-3]), axes=None, value=parts[-1])

    def param(self, parts: Parts) -> tree.Declaration:
        at = next(at for at, part in enumerate(parts) if isinstance(part, str) and part == ":")
        return tree.Declaration(
            span=self._span(parts),
            role=str(parts[0]),
            names=_names(parts[1:at]),
            type=parts[at + 1],
            initial=parts[at + 3] if len(parts) > at + 2 else None,
        )

    fixed = param

    def share(self, parts: Parts) -> tree.Share:
        return tree.Share(span=self._span(parts), name=str(parts[1]), value=parts[3])

    def emit(self, parts: Parts) -> tree.Emit:
        return tree.Emit(span=self._span(parts), value=parts[1])

    def assume(self, parts: Parts) -> tree.Assume:
        return tree.Assume(span=self._span(parts), condition=parts[1])

    # expressions

    def disjunction(self, parts: Parts) -> tree.Logic:
        return tree.Logic(span=self._span(parts), operator=str(parts[1]), operands=tuple(parts[::2]))

    conjunction = disjunction

    def logical_not(self, parts: Parts) -> tree.Logic:
        return tree.Logic(span=self._span(parts), operator="not", operands=(parts[1],))

    def comparison(self, parts: Parts) -> tree.Compare:
        return tree.Compare(span=self._span(parts), operator=str(parts[1]), left=parts[0], right=parts[2])

    def arithmetic(self, parts: Parts) -> tree.Sum:
        signs = ("+", *map(str, parts[1::2]))
        return tree.Sum(span=self._span(parts), terms=tuple(parts[::2]), signs=signs)

    def reduction(self, parts: Parts) -> tree.Reduction:
        return tree.Reduction(
            span=self._span(parts),
            kind=str(parts[0]),
            axes=tuple(parts[1 : -4 if parts[-4] == "where" else -2 : 2]),
            condition=parts[-3] if parts[-4] == "where" else None,
            body=parts[-1],
        )

    def bound_axis(self, parts: Parts) -> tree.BoundAxis:
        return tree.BoundAxis(span=self._span(parts), name=parts[0], size=parts[2] if len(parts) > 1 else None)

    def product(self, parts: Parts) -> tree.Product:
        operators = ("*", *map(str, parts[1::2]))
        return tree.Product(span=self._span(parts), factors=tuple(parts[::2]), operators=operators)

    def compose(self, parts: Parts) -> tree.Compose:
        return tree.Compose(span=self._span(parts), stages=tuple(parts[::2]))

    def negate(self, parts: Parts) -> tree.Negate:
        return tree.Negate(span=self._span(parts), operand=parts[1])

    def power(self, parts: Parts) -> tree.Power:
        return tree.Power(span=self._span(parts), base=parts[0], exponent=parts[2])

    def pipe(self, parts: Parts) -> tree.Pipe:
        return tree.Pipe(span=self._span(parts), stages=tuple(parts[::2]))

    def index(self, parts: Parts) -> tree.Index:
        return tree.Index(
            span=self._span(parts),
            value=parts[0],
            entries=_nodes(parts[2:], tree.IndexEntry),
            outside=parts[-2] if parts[-3] == "else" else None,
        )

    def index_entry(self, parts: Parts) -> tree.IndexEntry:
        return tree.IndexEntry(span=self._span(parts), axis=parts[0], value=parts[2])

    def number(self, parts: Parts) -> tree.Number:
        text = str(parts[0])
        value = int(text) if text.isdigit() else float(text)
        return tree.Number(span=self._span(parts), value=value, text=text)

    def truth(self, parts: Parts) -> tree.Truth:
        return tree.Truth(span=self._span(parts), value=parts[0] == "true")

    def text(self, parts: Parts) -> tree.Text:
        return tree.Text(span=self._span(parts), value=str(parts[0])[1:-1])

    def paren(self, parts: Parts) -> tree.Expr:
        items = _expressions(parts)
        if len(items) == 1 and not isinstance(items[0], tree.AxisSize):
            return replace(items[0], span=self._span(parts))
        return tree.Group(span=self._span(parts), items=items)

    def axis_size(self, parts: Parts) -> tree.AxisSize:
        return tree.AxisSize(span=self._span(parts), name=parts[0], size=parts[2])

    def call(self, parts: Parts) -> tree.Call:
        return tree.Call(span=self._span(parts), function=parts[0], arguments=_nodes(parts, tree.Argument))

    def argument(self, parts: Parts) -> tree.Argument:
        return tree.Argument(span=self._span(parts), name=None, value=parts[0])

    def named_argument(self, parts: Parts) -> tree.Argument:
        return tree.Argument(span=self._span(parts), name=str(parts[0]), value=parts[2])

    def arrow(self, parts: Parts) -> tree.Arrow:
        return tree.Arrow(span=self._span(parts), source=_axes(parts[0]), target=_axes(parts[2]))

    # choices and loops

    def choose(self, parts: Parts) -> tree.If:
        otherwise = parts[4]
        if isinstance(otherwise, tree.If):
            otherwise = tree.Body(span=otherwise.span, statements=(), results=(otherwise,))
        return tree.If(span=self._span(parts), condition=parts[1], then=parts[2], otherwise=otherwise)

    def repeat(self, parts: Parts) -> tree.Repeat:
        options = parts[2 : parts.index("with")]
        return tree.Repeat(
            span=self._span(parts),
            count=parts[1],
            label=str(options[1]) if len(options) > 1 else None,
            shared=len(options) % 2 == 1,
            carries=_nodes(parts, tree.Carry),
            body=parts[-1],
        )

    def scan(self, parts: Parts) -> tree.Scan:
        axis = parts[2]
        if isinstance(axis, tree.Name):
            axis = tree.AxisSize(span=axis.span, name=axis, size=None)
        return tree.Scan(
            span=self._span(parts),
            axis=axis,
            carries=_nodes(parts, tree.Carry),
            solver=parts[-2] if isinstance(parts[-2], tree.Call) else None,
            body=parts[-1],
        )

    def fixpoint(self, parts: Parts) -> tree.Fixpoint:
        return tree.Fixpoint(
            span=self._span(parts),
            carries=_nodes(parts, tree.Carry),
            solver=parts[-2] if isinstance(parts[-2], tree.Call) else None,
            body=parts[-1],
        )

    def carry(self, parts: Parts) -> tree.Carry:
        initial = parts[2] if len(parts) > 1 else None
        return tree.Carry(span=self._span(parts), name=str(parts[0]), initial=initial)

    # names

    def dotted(self, parts: Parts) -> tree.Name:
        return tree.Name(span=self._span(parts), parts=_names(parts))

    axis_name = dotted


def _axes(side: tree.Expr) -> tuple[tree.AxisSize, ...]:
    """One side of an arrow; a parenthesised list arrives as the expression it could have been."""
    items = side.items if isinstance(side, tree.Group) else (side,)
    return tuple(_axis(item) for item in items)


def _axis(item: tree.Expr) -> tree.AxisSize:
    if isinstance(item, tree.AxisSize):
        return item
    if isinstance(item, tree.Name):
        return tree.AxisSize(span=item.span, name=item, size=None)
    raise Fault(UnexpectedToken(item.span, found="expression", label="expected an axis, such as `d` or `d: 64`"))
