"""Tree to text: the canonical form, which `archc fmt` writes and the textual IR is printed in.

`parse(unparse(tree)) == tree` for every tree that `parse` can give, and writing what was written changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from archc.base.span import Span
from archc.syntax import tree
from archc.syntax.comments import Comments
from archc.syntax.layout import HARD, LINE, Align, Doc, Group, Hang, Nest, Suffix, layout

WIDTH = 100
_INDENT = 4
_PORTS_INDENT = 8

# How tightly an expression holds together; an operand that holds less tightly than its place asks for is parenthesised.
# A reduction could stand bare among the terms of a sum, but as an operand it reads better in parentheses.
_ANY, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _COMPOSE, _UNARY, _POWER, _PIPE, _PRIMARY = range(12)
_LEVELS: dict[type, int] = {
    tree.Compare: _COMPARE,
    tree.Sum: _SUM,
    tree.Reduction: _ANY,
    tree.Product: _PRODUCT,
    tree.Compose: _COMPOSE,
    tree.Negate: _UNARY,
    tree.Power: _POWER,
    tree.Pipe: _PIPE,
}
_LOGIC = {"or": _OR, "and": _AND, "not": _NOT}
_TALL = (tree.Pipe, tree.Repeat, tree.Scan, tree.Fixpoint, tree.If)


def unparse(node: tree.Tree, width: int = WIDTH) -> str:
    """The canonical text of any node, without comments."""
    return layout(_Writer(Comments()).node(node), width)


def format_source(spec: tree.Spec) -> str:
    """The canonical text of a file, with its comments: above what they stood above, or at the end of their line."""
    writer = _Writer(Comments(spec.span.source, spec.comments))
    text = layout(writer.file(spec), WIDTH)
    return f"{text}\n" if text else ""


def _level(node: tree.Tree) -> int:
    if isinstance(node, tree.Logic):
        return _LOGIC[node.operator]
    return _LEVELS.get(type(node), _PRIMARY)


class _Writer:
    """Makes the document of a tree; comments are taken from `comments` in the order of the text.

    A comment keeps its place above a line, above an item of a list or chain, or at the end of either; one that stands
    elsewhere inside a statement is hoisted above it.
    """

    def __init__(self, comments: Comments) -> None:
        self._comments = comments
        self._hoisted: list[tree.Comment] = []

    def node(self, node: tree.Tree) -> Doc:
        """The document of a node."""
        return _WRITE[type(node)](self, node)

    # files and definitions

    def file(self, spec: tree.Spec) -> Doc:
        items = sorted((*spec.uses, *spec.definitions), key=lambda item: item.span.start)
        lines: list[Doc] = []
        after_definition = False
        for item in items:
            self._line(lines, item, blank=after_definition)
            after_definition = isinstance(item, tree.Definition)
        for comment in self._comments.before(spec.span.end + 1):
            self._lines(lines, [], comment.span.start, _comment(comment), blank=after_definition)
            after_definition = False
        return tuple(lines)

    def spec(self, spec: tree.Spec) -> Doc:
        uses = [self.node(use) for use in spec.uses]
        definitions = [self.node(definition) for definition in spec.definitions]
        blocks = [_joined(uses, HARD), *definitions] if uses else definitions
        return _joined(blocks, (HARD, HARD))

    def _line(self, lines: list[Doc], node: tree.Tree, *, blank: bool = False) -> None:
        """Append a definition, a claim or a statement with its comments."""
        self._doc_line(lines, node.span, lambda: self.node(node), node.span.start, blank=blank)

    def _doc_line(
        self, lines: list[Doc], span: Span, make: Callable[[], Doc], start: int, *, blank: bool = False
    ) -> None:
        leading = self._comments.before(span.start)
        outer, self._hoisted = self._hoisted, []
        doc = make()
        leading += self._hoisted + self._comments.before(span.end)
        self._hoisted = outer
        self._lines(lines, leading, start, (doc, self._beside(span)), blank=blank)

    def _lines(
        self, lines: list[Doc], leading: list[tree.Comment], start: int, doc: Doc, *, blank: bool = False
    ) -> None:
        """Append a part and the comments above it, each on its own line, with the blank lines that stood there."""
        for at, part in (*((comment.span.start, _comment(comment)) for comment in leading), (start, doc)):
            if lines:
                lines.append(HARD)
                if blank or self._comments.blank_before(at):
                    lines.append(HARD)
            lines.append(part)
            blank = False

    def use(self, use: tree.Use) -> Doc:
        path = f'"{use.path}"' if isinstance(use.path, str) else ".".join(use.path)
        return f"use {path} as {use.alias}" if use.alias else f"use {path}"

    def definition(self, node: tree.Definition) -> Doc:
        hypers = self._list("(", node.hypers, ")") if node.hypers else ""
        inputs = self._list("(", node.inputs, ")")
        outputs = self._list("(", node.outputs, ")")
        signature = Group((inputs, LINE, "-> ", outputs))
        head: Doc = Group((f"{node.role} {node.name}", hypers, Nest(_PORTS_INDENT, (LINE, signature))))
        promises: list[Doc] = []
        if node.conditions:
            span = node.conditions[0].span.to(node.conditions[-1].span)
            self._doc_line(promises, span, lambda: ("where ", self._separated(node.conditions)), span.start)
        for claim in node.claims:
            self._line(promises, claim)
        body = self._block(node.body)
        if promises:
            return head, Nest(_INDENT, (HARD, *promises)), HARD, body
        return head, " ", body

    def hyper(self, node: tree.Hyper) -> Doc:
        kind = f"choice({', '.join(node.choices)})" if node.kind == "choice" else node.kind
        return (f"{node.name}: {kind}" if kind else node.name), self._value(node.default)

    def hyper_arrow(self, node: tree.HyperArrow) -> Doc:
        return f"{node.source} -> {node.target}"

    def port(self, node: tree.Port) -> Doc:
        return f"{node.name}: ", self.node(node.type), self._value(node.default)

    def claim(self, node: tree.Claim) -> Doc:
        actions = _joined([self.node(action) for action in node.actions], " * ")
        condition = "" if node.condition is None else (" if ", self.node(node.condition))
        return f"claim {node.sort} under ", actions, condition

    def action(self, node: tree.Action) -> Doc:
        return node.group, self._list("(", node.arguments, ")")

    # types

    def type(self, node: tree.Type) -> Doc:
        of = ("(", self.node(node.of), ")") if node.of else ""
        return node.kind, of, self._list("[", node.axes, "]")

    def tuple_type(self, node: tree.TupleType) -> Doc:
        return self._list("(", node.items, ")")

    def axis_type(self, node: tree.AxisType) -> Doc:
        return f"{node.name.text} ~ {node.twin}" if node.twin else self._sized(node.name, node.size)

    # statements

    def let(self, node: tree.Let) -> Doc:
        names = node.names[0] if len(node.names) == 1 else f"({', '.join(node.names)})"
        axes = self._list("[", node.axes, "]") if node.axes is not None else ""
        return f"let {names}", axes, self._definition(node.value)

    def declaration(self, node: tree.Declaration) -> Doc:
        return f"{node.role} {', '.join(node.names)}: ", self.node(node.type), self._definition(node.initial)

    def share(self, node: tree.Share) -> Doc:
        return f"share {node.name}", self._value(node.value)

    def emit(self, node: tree.Emit) -> Doc:
        return "emit ", self.node(node.value)

    def assume(self, node: tree.Assume) -> Doc:
        return "assume ", self.node(node.condition)

    def body(self, node: tree.Body) -> Doc:
        return self._block(node)

    def _block(self, node: tree.Body) -> Doc:
        lines = self._body_lines(node)
        return "{", Nest(_INDENT, (HARD, *lines)), HARD, "}"

    def _inline(self, node: tree.Body) -> Doc:
        """A body inside an expression, on one line where it is short and only returns."""
        pending = self._comments.left
        lines = self._body_lines(node)
        broken = len(lines) > 1 or self._comments.left < pending
        return Group(("{", Nest(_INDENT, (HARD if broken else LINE, *lines)), HARD if broken else LINE, "}"), broken)

    def _body_lines(self, node: tree.Body) -> list[Doc]:
        lines: list[Doc] = []
        for statement in node.statements:
            self._line(lines, statement)
        span = node.results[0].span.to(node.results[-1].span)
        start = self._comments.word_before("return", span.start)
        self._doc_line(lines, span, lambda: ("return ", self._results(node.results)), start)
        for comment in self._comments.before(node.span.end):
            self._lines(lines, [], comment.span.start, _comment(comment))
        return lines

    def _results(self, results: Sequence[tree.Expr]) -> Doc:
        return self.node(results[0]) if len(results) == 1 else self._separated(results)

    # expressions

    def name(self, node: tree.Name) -> Doc:
        return node.text

    def number(self, node: tree.Number) -> Doc:
        return node.text

    def truth(self, node: tree.Truth) -> Doc:
        return "true" if node.value else "false"

    def text(self, node: tree.Text) -> Doc:
        return f'"{node.value}"'

    def group(self, node: tree.Group) -> Doc:
        return self._list("(", node.items, ")")

    def axis_size(self, node: tree.AxisSize) -> Doc:
        return self._sized(node.name, node.size)

    def arrow(self, node: tree.Arrow) -> Doc:
        return self._axes(node.source), " -> ", self._axes(node.target)

    def _axes(self, axes: Sequence[tree.AxisSize]) -> Doc:
        return self.node(axes[0]) if len(axes) == 1 else self._list("(", axes, ")")

    def negate(self, node: tree.Negate) -> Doc:
        return "-", self._operand(node.operand, _UNARY)

    def power(self, node: tree.Power) -> Doc:
        return self._operand(node.base, _PIPE), "^", self._operand(node.exponent, _UNARY)

    def sum(self, node: tree.Sum) -> Doc:
        return self._chain(node.terms, node.signs, _PRODUCT)

    def product(self, node: tree.Product) -> Doc:
        return self._chain(node.factors, node.operators, _COMPOSE)

    def compose(self, node: tree.Compose) -> Doc:
        return self._chain(node.stages, [">>"] * len(node.stages), _UNARY)

    def compare(self, node: tree.Compare) -> Doc:
        return self._chain((node.left, node.right), ("", node.operator), _SUM)

    def logic(self, node: tree.Logic) -> Doc:
        if node.operator == "not":
            return "not ", self._operand(node.operands[0], _NOT)
        return self._chain(node.operands, [node.operator] * len(node.operands), _LOGIC[node.operator] + 1)

    def pipe(self, node: tree.Pipe) -> Doc:
        """Stages on one line, or each on its own under the first `|>`."""
        first, second, *later = node.stages
        head = self._operand(first, _PRIMARY)
        self._hoist(second)
        stages: list[Doc] = ["|> ", self.node(second)]
        previous, commented = second, False
        for stage in later:
            beside, above = self._beside(previous.span), self._above(stage)
            commented = commented or bool(above or beside)
            stages += [beside, LINE, above, "|> ", self.node(stage)]
            previous = stage
        return Group((head, " ", Align(tuple(stages))), broken=commented)

    def reduction(self, node: tree.Reduction) -> Doc:
        axes = [part for axis in node.axes for part in (", ", self.node(axis))][1:]
        where = (" where ", self.node(node.condition)) if node.condition else ""
        return f"{node.kind} ", *axes, where, ": ", self._operand(node.body, _PRODUCT)

    def bound_axis(self, node: tree.BoundAxis) -> Doc:
        return (node.name.text, " < ", self._operand(node.size, _SUM)) if node.size else node.name.text

    def call(self, node: tree.Call) -> Doc:
        return node.function.text, self._list("(", node.arguments, ")")

    def argument(self, node: tree.Argument) -> Doc:
        return (f"{node.name} = " if node.name else ""), self.node(node.value)

    def index(self, node: tree.Index) -> Doc:
        outside = (" else ", self.node(node.outside)) if node.outside else ""
        return self._operand(node.value, _PRIMARY), "[", Align((self._separated(node.entries), outside)), "]"

    def index_entry(self, node: tree.IndexEntry) -> Doc:
        return self._sized(node.axis, node.value)

    # choices and loops

    def choose(self, node: tree.If) -> Doc:
        condition = self.node(node.condition)
        then = self._inline(node.then)
        otherwise = node.otherwise
        nested = otherwise.results[0]
        if not otherwise.statements and len(otherwise.results) == 1 and isinstance(nested, tree.If):
            return "if ", condition, " ", then, " else ", self.node(nested)
        return "if ", condition, " ", then, " else ", self._inline(otherwise)

    def repeat(self, node: tree.Repeat) -> Doc:
        count = self.node(node.count)
        label = f" as {node.label}" if node.label else ""
        shared = " shared" if node.shared else ""
        return "repeat ", count, label, shared, self._with(node.carries, None), self._inline(node.body)

    def scan(self, node: tree.Scan) -> Doc:
        axis = self.node(node.axis)
        return "scan over ", axis, self._with(node.carries, node.solver), self._inline(node.body)

    def fixpoint(self, node: tree.Fixpoint) -> Doc:
        return "fixpoint", self._with(node.carries, node.solver), self._inline(node.body)

    def carry(self, node: tree.Carry) -> Doc:
        return node.name, self._value(node.initial)

    def _with(self, carries: Sequence[tree.Carry], solver: tree.Call | None) -> Doc:
        using = (" using ", self.node(solver)) if solver else ""
        return " with ", self._separated(carries), using, " "

    # parts

    def _value(self, value: tree.Expr | None) -> Doc:
        return (" = ", self.node(value)) if value else ""

    def _definition(self, value: tree.Expr | None) -> Doc:
        if value is None or isinstance(value, _TALL):
            return self._value(value)
        return " =", Hang(self.node(value))

    def _sized(self, name: tree.Name, size: tree.Expr | None) -> Doc:
        return (f"{name.text}: ", self.node(size)) if size else name.text

    def _operand(self, node: tree.Expr, level: int) -> Doc:
        return self.node(node) if _level(node) >= level else ("(", Align(self.node(node)), ")")

    def _list(self, opener: str, items: Sequence[tree.Tree], closer: str) -> Doc:
        return (opener, self._separated(items), closer) if items else opener + closer

    def _separated(self, items: Sequence[tree.Tree]) -> Doc:
        """Items with commas, as many on a line as fit."""
        self._hoist(items[0])
        parts: list[Doc] = [Group(self.node(items[0]))]
        for previous, item in pairwise(items):
            beside, above = self._beside(previous.span), self._above(item)
            doc = Group(self.node(item))
            parts += [",", beside]
            parts.append((HARD, above, doc) if above or beside else Group((LINE, doc)))
        return Align(tuple(parts))

    def _chain(self, operands: Sequence[tree.Expr], operators: Sequence[str], level: int) -> Doc:
        """Operands with the operator before each but the first, as many on a line as fit."""
        self._hoist(operands[0])
        parts: list[Doc] = [self._operand(operands[0], level)]
        for (previous, operand), operator in zip(pairwise(operands), operators[1:], strict=True):
            beside, above = self._beside(previous.span), self._above(operand)
            doc = (f"{operator} ", self._operand(operand, level))
            if above or beside:
                parts += [beside, HARD, above, doc]
            elif isinstance(operand, _TALL):
                parts += [Group(LINE), doc]
            else:
                parts.append(Group((LINE, doc)))
        return Align(tuple(parts))

    def _hoist(self, node: tree.Tree) -> None:
        """Send the comments before a node to the line above its statement."""
        self._hoisted += self._comments.before(node.span.start)

    def _above(self, node: tree.Tree) -> Doc:
        """The comments between the part before and this one, each on its own line."""
        return tuple(part for comment in self._comments.before(node.span.start) for part in (_comment(comment), HARD))

    def _beside(self, span: Span) -> Doc:
        return tuple(Suffix(_comment(comment)) for comment in self._comments.beside(span))


def _comment(comment: tree.Comment) -> str:
    return f"#{comment.text}".rstrip()


def _joined(docs: Iterable[Doc], separator: Doc) -> Doc:
    parts: list[Doc] = []
    for doc in docs:
        parts += [separator, doc] if parts else [doc]
    return tuple(parts)


_WRITE: dict[type, Callable[[_Writer, Any], Doc]] = {
    tree.Spec: _Writer.spec,
    tree.Use: _Writer.use,
    tree.Definition: _Writer.definition,
    tree.Hyper: _Writer.hyper,
    tree.HyperArrow: _Writer.hyper_arrow,
    tree.Port: _Writer.port,
    tree.Claim: _Writer.claim,
    tree.Action: _Writer.action,
    tree.Type: _Writer.type,
    tree.TupleType: _Writer.tuple_type,
    tree.AxisType: _Writer.axis_type,
    tree.Let: _Writer.let,
    tree.Declaration: _Writer.declaration,
    tree.Share: _Writer.share,
    tree.Emit: _Writer.emit,
    tree.Assume: _Writer.assume,
    tree.Body: _Writer.body,
    tree.Name: _Writer.name,
    tree.Number: _Writer.number,
    tree.Truth: _Writer.truth,
    tree.Text: _Writer.text,
    tree.Group: _Writer.group,
    tree.AxisSize: _Writer.axis_size,
    tree.Arrow: _Writer.arrow,
    tree.Negate: _Writer.negate,
    tree.Power: _Writer.power,
    tree.Sum: _Writer.sum,
    tree.Product: _Writer.product,
    tree.Compose: _Writer.compose,
    tree.Compare: _Writer.compare,
    tree.Logic: _Writer.logic,
    tree.Pipe: _Writer.pipe,
    tree.Reduction: _Writer.reduction,
    tree.BoundAxis: _Writer.bound_axis,
    tree.Call: _Writer.call,
    tree.Argument: _Writer.argument,
    tree.Index: _Writer.index,
    tree.IndexEntry: _Writer.index_entry,
    tree.If: _Writer.choose,
    tree.Repeat: _Writer.repeat,
    tree.Scan: _Writer.scan,
    tree.Fixpoint: _Writer.fixpoint,
    tree.Carry: _Writer.carry,
    tree.Comment: lambda _, node: _comment(node),
}
