"""Python expressions as text, laid out as `ruff format` lays them out, so that formatting changes nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archc.codegen.document import (
    Best,
    Bracketed,
    Choice,
    Document,
    Group,
    Indent,
    Line,
    Loose,
    Mark,
    lines,
    whole,
)

WIDTH = 88
_MANY = 5

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", 6),
    ast.BitXor: ("^", 7),
    ast.BitAnd: ("&", 8),
    ast.LShift: ("<<", 9),
    ast.RShift: (">>", 9),
    ast.Add: ("+", 10),
    ast.Sub: ("-", 10),
    ast.Mult: ("*", 11),
    ast.Div: ("/", 11),
    ast.FloorDiv: ("//", 11),
    ast.Mod: ("%", 11),
    ast.MatMult: ("@", 11),
    ast.Pow: ("**", 13),
}
_UNARY: dict[type[ast.unaryop], tuple[str, int]] = {
    ast.Not: ("not ", 4),
    ast.USub: ("-", 12),
    ast.UAdd: ("+", 12),
    ast.Invert: ("~", 12),
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_LAMBDA, _TEST, _OR, _AND, _COMPARISON, _DOT, _ATOM = 0, 1, 2, 3, 5, 14, 15
_OWN = (ast.Tuple, ast.List, ast.GeneratorExp)
_CHAINED = (ast.Attribute, ast.Call, ast.Subscript)

_INSIDE = Mark()
"""Stands for brackets that are there in any case: what lies in them may break as it likes. Elsewhere a mark is that of
the group whose brackets are there only where it breaks, and None says that there are none at all."""


class UnprintableError(TypeError):
    """An expression that generated code never holds."""


def parse(text: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(text, mode="eval").body


def quoted(text: str) -> str:
    """A string literal in ASCII, in the quotes the formatter prefers."""
    body = ascii(text)
    inner = body[1:-1]
    if body[0] == "'":
        inner = inner.replace("\\'", "'")
        if '"' in inner:
            return body if "'" not in inner else '"' + inner.replace('"', '\\"') + '"'
    return f'"{inner}"'


def flat(node: ast.expr) -> str:
    """The expression on one line, with no brackets but those needed."""
    return whole(_written(node, None))


def arguments(call: ast.Call) -> list[str]:
    """The arguments of a call, each on one line; a generator that is the only one goes without brackets."""
    if len(call.args) == 1 and not call.keywords:
        return [whole(_only_argument(call.args[0]))]
    return [whole(one) for one in _arguments(call)]


def statement(prefix: str, node: ast.expr, indent: int, suffix: str = "") -> list[str]:
    """`prefix`, the expression and `suffix` as lines, broken where they would be longer than the width."""
    return lines((*_assigned(prefix, node), suffix), indent, WIDTH)


def signature(head: str, items: Sequence[str], tail: str, indent: int) -> list[str]:
    """`head(items)tail`, such as the first line of a function, broken like a call."""
    return lines((head, _bracketed("(", Group(_listed(items)), ")", None), tail), indent, WIDTH)


def has_room(node: ast.expr, column: int) -> bool:
    """Whether a call that starts at this column fits when its arguments go on a line of their own."""
    if not isinstance(node, ast.Call) or not node.args or not _is_dotted(node.func):
        return False
    inner = sum(map(len, arguments(node))) + 2 * (len(node.args) + len(node.keywords) - 1)
    return column + len(flat(node.func)) + 1 <= WIDTH and inner + 12 <= WIDTH


def is_chain(node: ast.expr, width: int) -> bool:
    """Whether it is a sum or product of many short operands, which reads well with one a line."""
    if not isinstance(node, ast.BinOp) or isinstance(node.op, ast.Pow):
        return False
    level, parts = _level(node), []
    first: ast.expr = node
    while isinstance(first, ast.BinOp) and _level(first) == level:
        parts.append(first.right)
        first = first.left
    return len(parts) >= _MANY and all(len(flat(part)) + 4 <= width // 4 for part in (first, *parts))


def _is_dotted(node: ast.expr) -> bool:
    """Whether it is a name, or attributes of one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


# Statements


def _assigned(prefix: str, node: ast.expr) -> tuple[Document, ...]:
    """A statement: a call that stands alone, or what is assigned, returned or tested."""
    if prefix in ("", "raise "):
        return prefix, _written(node, None)
    if not prefix.endswith(" = "):
        return prefix, _optional(node)
    target = parse(prefix.removesuffix(" = "))
    if not isinstance(target, ast.Tuple):
        return prefix, _optional(node)
    names = _sequence(target.elts)
    # `a, b` where there is no need for brackets
    left = _tuple(target, None) if prefix.startswith("(") else _where_broken(names)
    if not isinstance(node, _CHAINED) or _need(node) is not Bracketed:
        return left, " = ", _optional(node)
    value = _written(node, None)
    inner = Group((Indent((Line(), value)), Line()), broken=True)
    return (
        Best(
            (
                (left, " = ", value),
                (left, " = ", Group(value, broken=True)),
                (left, " = (", inner, ")"),
                (Group(left, broken=True), " = ", value),
            )
        ),
    )


def _optional(node: ast.expr) -> Document:
    """An expression, in brackets where that is the way to break it."""
    need = _need(node)
    if need is None:
        return _written(node, None)
    mark = Mark()
    if need is Bracketed:
        return Bracketed(_written(node, mark), mark)
    if not _breaks_without(node):
        return _where_broken(_written(node, _INSIDE))
    content = _written(node, mark)
    return _in_brackets(content, mark)


def _where_broken(content: Document) -> Document:
    """In brackets where it breaks."""
    return _in_brackets(content, Mark())


def _in_brackets(content: Document, mark: Mark) -> Document:
    return Group((Choice("(", ""), Indent((Line(), content), mark), Line(), Choice(")", "")), mark)


def _need(node: ast.expr) -> type | None:
    """How brackets help an expression that is too long: none at all where it has its own, those of `Bracketed` where
    it begins with a name, those of a group else."""
    match node:
        case ast.Name() | ast.Constant():
            return Bracketed
        case ast.Attribute(value) | ast.Call(value) | ast.Subscript(value):
            if _is_fluent(node):
                return Group
            return None if _Operand(value, _ATOM).is_bracketed else _need(value)
        case ast.UnaryOp(_, operand):
            return None if _Operand(operand, _operand_level(node)).is_bracketed else _need(operand)
    return None if isinstance(node, _OWN) else Group


def _breaks_without(node: ast.expr) -> bool:
    """Whether an expression breaks well in brackets that it has, so that it needs no others around it: where it has but
    one operator that binds least, and begins or ends with brackets."""
    found = _Operators(node)
    if not found.has_brackets or found.count > 1:
        return False
    return found.level >= _DOT or any(one is not None and _has_brackets(one) for one in (found.first, found.last))


def _has_brackets(operand: _Operand) -> bool:
    """Whether there is something in brackets that an operand has, but for those of a subscript."""
    match operand.node:
        case ast.Call(_, args, keywords):
            return bool(args or keywords) or operand.is_bracketed
        case ast.Tuple(items) | ast.List(items):
            return bool(items)
        case ast.GeneratorExp():
            return True
        case ast.Subscript():
            return False
    return operand.is_bracketed


class _Operators:
    """The operators of an expression that binds least, how many they are, and what stands at its ends."""

    def __init__(self, node: ast.expr) -> None:
        self.level, self.count = _ATOM, 0
        self.has_brackets = self.begins_with_sign = False
        self.first: _Operand | None = None
        self.last = _Operand(node, 0)
        self._walk(node)

    def _count(self, level: int, count: int) -> None:
        if level < self.level:
            self.level, self.count = level, count
        elif level == self.level:
            self.count += count

    def _visit(self, operand: _Operand) -> None:
        self.last = operand
        if operand.is_bracketed:
            self.has_brackets = True
        else:
            self._walk(operand.node)
        if self.first is None and not self.begins_with_sign:
            self.first = operand

    def _walk(self, node: ast.expr) -> None:
        match node:
            case ast.Call(value) | ast.Subscript(value):
                self.has_brackets = True
                self._visit(_Operand(value, _ATOM))
                self.last = _Operand(node, 0)
            case ast.Attribute(value):
                owner = _Operand(value, _ATOM)
                self._visit(owner)
                if owner.is_bracketed or isinstance(value, (*_OWN, ast.Call, ast.Subscript)):
                    self._count(_DOT, 1)
                self.last = _Operand(node, 0)
            case ast.UnaryOp(sign, operand):
                if isinstance(sign, ast.Invert):
                    self._count(_level(node), 1)
                self.begins_with_sign = self.begins_with_sign or self.first is None
                self._visit(_Operand(operand, _operand_level(node)))
            case ast.IfExp(test, body, orelse):
                self._count(_TEST, 2)
                for part, least in ((body, _OR), (test, _OR), (orelse, _TEST)):
                    self._visit(_Operand(part, least))
            case ast.BinOp() | ast.Compare() | ast.BoolOp():
                operands = [part for part in _parts(node) if isinstance(part, _Operand)]
                self._count(_rank(node), len(operands) - 1)
                for one in operands:
                    self._visit(one)
            case _:
                self.has_brackets = self.has_brackets or isinstance(node, _OWN)


# Expressions


class _Operand(NamedTuple):
    """An expression as a part of another; it is in brackets where its operator binds less than `least`."""

    node: ast.expr
    least: int

    @property
    def is_bracketed(self) -> bool:
        """Whether it stands in brackets of its own."""
        return _level(self.node) < self.least

    def written(self, mark: Mark | None, *, fluent: bool | None = None) -> Document:
        """Its text, with those brackets."""
        if self.is_bracketed:
            return _bracketed("(", _written(self.node, _INSIDE), ")", mark)
        return _written(self.node, mark, fluent)


class _Operator(NamedTuple):
    """What stands between two operands; `hugs` where there is no space around it."""

    text: str
    rank: int
    hugs: bool = False


def _level(node: ast.expr) -> int:
    """How tightly the outermost operator of an expression binds."""
    match node:
        case ast.BinOp(_, operator):
            return _BINARY[type(operator)][1]
        case ast.UnaryOp(sign):
            return _UNARY[type(sign)][1]
        case ast.BoolOp(junction):
            return _AND if isinstance(junction, ast.And) else _OR
        case ast.Compare():
            return _COMPARISON
        case ast.IfExp():
            return _TEST
        case ast.Lambda() | ast.Starred():
            return _LAMBDA
    return _ATOM


def _rank(node: ast.expr) -> int:
    """The level of an operator, `and` and `or` alike."""
    return _OR if isinstance(node, ast.BoolOp) else _level(node)


def _operand_level(node: ast.UnaryOp) -> int:
    """A power under a sign goes in brackets, whether it needs them or not."""
    is_power = isinstance(node.operand, ast.BinOp) and isinstance(node.operand.op, ast.Pow)
    return _ATOM if is_power else _level(node)


def _written(node: ast.expr, mark: Mark | None, fluent: bool | None = None) -> Document:
    """An expression without brackets around it. `fluent` says how the chain goes on of which it is a part."""
    match node:
        case ast.Name(name):
            return name
        case ast.Constant(value):
            return _constant(value)
        case ast.Attribute() | ast.Call() | ast.Subscript():
            return _chained(node, mark, fluent)
        case ast.Tuple():
            return _tuple(node, mark)
        case ast.List(items):
            return _bracketed("[", _sequence(items), "]", mark) if items else "[]"
        case ast.GeneratorExp():
            return _bracketed("(", Group(_generator(node)), ")", mark)
    return _operation(node, mark)


def _operation(node: ast.expr, mark: Mark | None) -> Document:
    match node:
        case ast.BinOp() | ast.Compare() | ast.BoolOp():
            return _grouped(_joined(list(_flattened(node)), mark), mark)
        case ast.UnaryOp(sign, operand):
            return _UNARY[type(sign)][0], _Operand(operand, _operand_level(node)).written(mark)
        case ast.IfExp():
            return _grouped(_chosen(node, mark), mark)
        case ast.Lambda(_, body):
            return "lambda: ", _where_broken(_written(body, _INSIDE))
        case ast.Starred(value):
            return "*", _Operand(value, _OR).written(mark)
    raise UnprintableError(type(node).__name__)


def _constant(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None or value is Ellipsis or isinstance(value, bool | int | float):
        # the formatter writes no sign before an exponent that needs none
        return "..." if value is Ellipsis else repr(value).replace("e+", "e")
    raise UnprintableError(type(value).__name__)


def _bracketed(left: str, content: Document, right: str, mark: Mark | None) -> Document:
    inner = Group((Indent((Line(), content)), Line()))
    return left, inner if mark is None or mark is _INSIDE else Loose(inner, mark), right


def _grouped(content: Document, mark: Mark | None) -> Document:
    """What breaks together where it stands in brackets."""
    if mark is None:
        return content
    return Group(content, within=None if mark is _INSIDE else mark)


def _line(text: str, mark: Mark | None) -> Document:
    """A place where a line may break in brackets; `text` is a space or nothing."""
    line = Line(text == " ")
    return text if mark is None else line if mark is _INSIDE else Choice(line, text, mark)


def _sequence(items: Sequence[ast.expr]) -> Document:
    return _listed([_written(item, _INSIDE) for item in items])


def _listed(items: Sequence[Document]) -> Document:
    """Items behind commas, one more behind the last of several where they are broken."""
    parts = [part for item in items for part in (item, ",", Line(True))][:-2]
    return (*parts, Choice(",", "")) if len(items) > 1 else tuple(parts)


def _tuple(node: ast.Tuple, mark: Mark | None) -> Document:
    if not node.elts:
        return "()"
    items = _sequence(node.elts)
    return _bracketed("(", (items, ",") if len(node.elts) == 1 else items, ")", mark)


def _is_fluent(node: ast.expr) -> bool:
    """Whether a chain has several attributes of what has brackets, so that each goes on a line of its own."""
    count = 0
    while isinstance(node, _CHAINED):
        owner = node.func if isinstance(node, ast.Call) else node.value
        is_bracketed = _Operand(owner, _ATOM).is_bracketed
        count += isinstance(node, ast.Attribute) and (is_bracketed or isinstance(owner, ast.Call | ast.Subscript))
        if is_bracketed:
            break
        node = owner
    return count > 1


def _chained(node: ast.Attribute | ast.Call | ast.Subscript, mark: Mark | None, fluent: bool | None) -> Document:
    """An attribute, call or subscript."""
    goes_on = fluent if fluent is not None else mark is not None and _is_fluent(node)
    if isinstance(node, ast.Attribute):
        found = _attribute(node, mark, fluent=goes_on)
    elif isinstance(node, ast.Call):
        found = _Operand(node.func, _ATOM).written(mark, fluent=goes_on), _called(node, mark)
    else:
        index = _bracketed("[", _index(node.slice), "]", mark)
        found = _Operand(node.value, _ATOM).written(mark, fluent=goes_on), index
    return Group(found) if goes_on and fluent is None else found


def _attribute(node: ast.Attribute, mark: Mark | None, *, fluent: bool) -> Document:
    owner = _Operand(node.value, _ATOM)
    if isinstance(node.value, ast.Constant) and not isinstance(node.value.value, str):
        return "(", _written(node.value, mark), ").", node.attr
    breaks = fluent and (owner.is_bracketed or isinstance(node.value, ast.Call | ast.Subscript))
    return owner.written(mark, fluent=True if fluent else None), Line() if breaks else "", ".", node.attr


def _called(call: ast.Call, mark: Mark | None) -> Document:
    if not call.args and not call.keywords:
        return "()"
    if len(call.args) == 1 and not call.keywords:
        return _bracketed("(", Group(_only_argument(call.args[0])), ")", mark)
    return _bracketed("(", Group(_listed(_arguments(call))), ")", mark)


def _only_argument(node: ast.expr) -> Document:
    return _generator(node) if isinstance(node, ast.GeneratorExp) else _written(node, _INSIDE)


def _arguments(call: ast.Call) -> list[Document]:
    named = [((f"{word.arg}=" if word.arg else "**"), _written(word.value, _INSIDE)) for word in call.keywords]
    return [*(_written(one, _INSIDE) for one in call.args), *named]


def _generator(node: ast.GeneratorExp) -> Document:
    """A generator without its brackets."""
    loops: list[Document] = []
    for one in node.generators:
        loops += [Line(True), "for ", flat(one.target), " in ", _Operand(one.iter, _OR).written(_INSIDE)]
    return Group(_written(node.elt, _INSIDE)), *loops


def _index(node: ast.expr) -> Document:
    if isinstance(node, ast.Tuple) and node.elts:
        items = [_slice(item) for item in node.elts]
        return (items[0], ",") if len(items) == 1 else Group(_listed(items))
    return _slice(node)


def _slice(node: ast.expr) -> Document:
    if not isinstance(node, ast.Slice):
        return _written(node, _INSIDE)
    bounds = [node.lower, node.upper] if node.step is None else [node.lower, node.upper, node.step]
    space = "" if all(bound is None or _is_simple_bound(bound) for bound in bounds) else " "
    parts: list[Document] = [] if bounds[0] is None else [_written(bounds[0], _INSIDE)]
    for bound in bounds[1:]:
        # a colon next to a missing bound hugs on that side
        parts.append(space if parts and parts[-1] != ":" else "")
        parts.append(":")
        if bound is not None:
            parts += [space, _written(bound, _INSIDE)]
    return tuple(parts)


def _is_simple_bound(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and _is_simple_bound(node.operand)
    return isinstance(node, ast.Name | ast.Constant)


def _chosen(node: ast.IfExp, mark: Mark | None) -> Document:
    orelse = _Operand(node.orelse, _TEST)
    last = _chosen(node.orelse, mark) if isinstance(node.orelse, ast.IfExp) else _grouped(orelse.written(mark), mark)
    body, test = (_Operand(one, _OR).written(mark) for one in (node.body, node.test))
    return body, _line(" ", mark), "if ", test, _line(" ", mark), "else ", last


# Operators


def _parts(node: ast.BinOp | ast.Compare | ast.BoolOp) -> Iterator[_Operand | _Operator]:
    """Operands and the operators between them."""
    rank, level = _rank(node), _level(node)
    match node:
        case ast.BinOp(left, ast.Pow(), right):
            operands = _Operand(left, level + 1), _Operand(right, level - 1)
            hugs = all(_is_simple_power(one.node) and not one.is_bracketed for one in operands)
            yield from (operands[0], _Operator("**", rank, hugs), operands[1])
        case ast.BinOp(left, operator, right):
            sign, _ = _BINARY[type(operator)]
            yield from (_Operand(left, level), _Operator(sign, rank), _Operand(right, level + 1))
        case ast.Compare(left, comparisons, rights):
            yield _Operand(left, level + 1)
            for comparison, right in zip(comparisons, rights, strict=True):
                yield from (_Operator(_COMPARE[type(comparison)], rank), _Operand(right, level + 1))
        case ast.BoolOp(junction, values):
            word = "and" if isinstance(junction, ast.And) else "or"
            for place, value in enumerate(values):
                yield from (*((_Operator(word, rank),) if place else ()), _Operand(value, level + 1))


def _flattened(node: ast.BinOp | ast.Compare | ast.BoolOp) -> Iterator[_Operand | _Operator]:
    """`_parts`, those of operands without brackets in their place."""
    for part in _parts(node):
        inner = part.node if isinstance(part, _Operand) and not part.is_bracketed else None
        if isinstance(inner, ast.BinOp | ast.Compare | ast.BoolOp):
            yield from _flattened(inner)
        else:
            yield part


def _joined(parts: Sequence[_Operand | _Operator], mark: Mark | None) -> Document:
    """Operands and operators; a line breaks first where the operator binds least."""
    if len(parts) == 1:
        assert isinstance(parts[0], _Operand)
        return parts[0].written(mark)
    least = min(part.rank for part in parts if isinstance(part, _Operator))
    found: list[Document] = []
    start = 0
    for place, part in enumerate(parts):
        if isinstance(part, _Operator) and part.rank == least:
            found += [_side(parts[start:place], mark), _line("" if part.hugs else " ", mark), part.text]
            found.append(" " if not part.hugs else _only_broken(" ", mark))
            start = place + 1
    return (*found, _side(parts[start:], mark))


def _side(parts: Sequence[_Operand | _Operator], mark: Mark | None) -> Document:
    found = _joined(parts, mark)
    return found if len(parts) == 1 else _grouped(found, mark)


def _only_broken(text: str, mark: Mark | None) -> Document:
    return "" if mark is None else Choice(text, "", None if mark is _INSIDE else mark)


def _is_simple_power(node: ast.expr) -> bool:
    """Whether a power of it, or with it, has no spaces."""
    match node:
        case ast.Name():
            return True
        case ast.Constant(value):
            return value is None or isinstance(value, int | float)
        case ast.UnaryOp(sign, operand):
            return not isinstance(sign, ast.Not) and _is_simple_power(operand)
        case ast.Attribute(value):
            return _is_simple_power(value)
    return False
