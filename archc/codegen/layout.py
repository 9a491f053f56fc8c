"""Python expressions as text, laid out as `ruff format` lays them out, so that formatting changes nothing."""

from __future__ import annotations

import ast
from collections.abc import Sequence

WIDTH = 88
_INDENT = 4
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
_TEST, _OR, _AND, _COMPARISON, _ATOM = 1, 2, 3, 5, 15


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
    return _flat(node, 0)


def _flat(node: ast.expr, least: int) -> str:
    text, level = _written(node)
    return text if level >= least else f"({text})"


def _written(node: ast.expr) -> tuple[str, int]:
    match node:
        case ast.Name(name):
            return name, _ATOM
        case ast.Constant(value):
            return _constant(value)
        case ast.Attribute(value, name):
            owner = _flat(value, _ATOM)
            return f"({owner}).{name}" if isinstance(value, ast.Constant) else f"{owner}.{name}", _ATOM
        case ast.Call(function):
            return f"{_flat(function, _ATOM)}({', '.join(arguments(node))})", _ATOM
        case ast.Subscript(value, index):
            return f"{_flat(value, _ATOM)}[{_index(index)}]", _ATOM
        case ast.Tuple(items):
            return _tuple(items), _ATOM
        case ast.List(items):
            return f"[{', '.join(map(flat, items))}]", _ATOM
        case ast.GeneratorExp(element, generators):
            return f"({flat(element)}{_generators(generators)})", _ATOM
    return _operation(node)


def _operation(node: ast.expr) -> tuple[str, int]:
    match node:
        case ast.BinOp(left, operator, right):
            return _binary(left, operator, right)
        case ast.UnaryOp(sign_of, operand):
            sign, level = _UNARY[type(sign_of)]
            return sign + _flat(operand, level), level
        case ast.Compare(left, comparisons, rights):
            words = [_flat(left, _COMPARISON + 1)]
            for comparison, right in zip(comparisons, rights, strict=True):
                words += [_COMPARE[type(comparison)], _flat(right, _COMPARISON + 1)]
            return " ".join(words), _COMPARISON
        case ast.BoolOp(junction, values):
            word, level = (" and ", _AND) if isinstance(junction, ast.And) else (" or ", _OR)
            return word.join(_flat(value, level + 1) for value in values), level
        case ast.IfExp(test, body, orelse):
            return f"{_flat(body, _OR)} if {_flat(test, _OR)} else {_flat(orelse, _TEST)}", _TEST
        case ast.Lambda(_, body):
            return f"lambda: {_flat(body, _TEST)}", 0
        case ast.Starred(value):
            return f"*{_flat(value, _OR)}", 0
    raise UnprintableError(type(node).__name__)


def _constant(value: object) -> tuple[str, int]:
    if isinstance(value, str):
        return quoted(value), _ATOM
    if value is None or value is Ellipsis or isinstance(value, bool | int | float):
        return "..." if value is Ellipsis else repr(value), _ATOM
    raise UnprintableError(type(value).__name__)


def _binary(left: ast.expr, operator: ast.operator, right: ast.expr) -> tuple[str, int]:
    sign, level = _BINARY[type(operator)]
    if isinstance(operator, ast.Pow):
        space = "" if _is_simple_power(left) and _is_simple_power(right) else " "
        return f"{_flat(left, level + 1)}{space}**{space}{_flat(right, level - 1)}", level
    return f"{_flat(left, level)} {sign} {_flat(right, level + 1)}", level


def _is_simple_power(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return isinstance(node.operand, ast.Constant)
    while isinstance(node, ast.Attribute):
        node = node.value
        if not isinstance(node, ast.Attribute | ast.Name):
            return False
    return isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and isinstance(node.value, int | float))


def _tuple(items: Sequence[ast.expr]) -> str:
    texts = [flat(item) for item in items]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _index(node: ast.expr) -> str:
    if isinstance(node, ast.Tuple) and node.elts:
        items = [_slice(item) for item in node.elts]
        return f"{items[0]}," if len(items) == 1 else ", ".join(items)
    return _slice(node)


def _slice(node: ast.expr) -> str:
    if not isinstance(node, ast.Slice):
        return flat(node)
    bounds = [node.lower, node.upper] if node.step is None else [node.lower, node.upper, node.step]
    space = "" if all(bound is None or _is_simple_bound(bound) for bound in bounds) else " "
    text = "" if bounds[0] is None else flat(bounds[0])
    for bound in bounds[1:]:
        # a colon next to a missing bound hugs on that side
        text += (space if text and not text.endswith(":") else "") + ":"
        text += "" if bound is None else space + flat(bound)
    return text


def _is_simple_bound(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and _is_simple_bound(node.operand)
    return isinstance(node, ast.Name | ast.Constant)


def _generators(generators: Sequence[ast.comprehension]) -> str:
    return "".join(f" for {flat(one.target)} in {_flat(one.iter, _OR)}" for one in generators)


def arguments(call: ast.Call) -> list[str]:
    """The arguments of a call, each on one line; a generator that is the only one goes without brackets."""
    if len(call.args) == 1 and not call.keywords and isinstance(call.args[0], ast.GeneratorExp):
        return [flat(call.args[0])[1:-1]]
    named = [f"{word.arg}={flat(word.value)}" if word.arg else f"**{flat(word.value)}" for word in call.keywords]
    return [*map(flat, call.args), *named]


def statement(prefix: str, node: ast.expr, indent: int) -> list[str]:
    """`prefix` and the expression as lines, broken where they would be longer than the width."""
    margin = " " * indent
    line = f"{margin}{prefix}{flat(node)}"
    if len(line) <= WIDTH:
        return [line]
    wrapped = len(line) - len(prefix) + _INDENT <= WIDTH
    if isinstance(node, ast.Call) and (node.args or node.keywords) and not (wrapped and not _is_dotted(node.func)):
        head = f"{margin}{prefix}{_flat(node.func, _ATOM)}("
        if len(head) <= WIDTH:
            return [head, *_called(node, indent + _INDENT), f"{margin})"]
    inner = _split(node, indent + _INDENT)
    return [f"{margin}{prefix}(", *inner, f"{margin})"]


def has_room(node: ast.expr, column: int) -> bool:
    """Whether a call that starts at this column fits when its arguments go on a line of their own."""
    if not isinstance(node, ast.Call) or not node.args or not _is_dotted(node.func):
        return False
    inner = sum(map(len, arguments(node))) + 2 * (len(node.args) + len(node.keywords) - 1)
    return column + len(_flat(node.func, _ATOM)) + 1 <= WIDTH and inner + 12 <= WIDTH


def _is_dotted(node: ast.expr) -> bool:
    """Whether it is a name, or attributes of one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def is_chain(node: ast.expr, width: int) -> bool:
    """Whether it is a sum or product of many short operands, which reads well with one a line."""
    parts = _operands(node)
    return len(parts) > _MANY and all(len(part) <= width // 4 for part in parts)


def _called(call: ast.Call, indent: int) -> list[str]:
    """The arguments of a call: on one line if they fit, else one a line, broken inside their brackets if need be."""
    lines = _listed(arguments(call), indent)
    if all(len(line) <= WIDTH for line in lines):
        return lines
    named = [(f"{word.arg}=" if word.arg else "**", word.value) for word in call.keywords]
    return [
        line for prefix, node in (*(("", one) for one in call.args), *named) for line in _item(prefix, node, indent)
    ]


def _item(prefix: str, node: ast.expr, indent: int) -> list[str]:
    """One of several items, on a line of its own or broken inside its brackets."""
    margin = " " * indent
    line = f"{margin}{prefix}{flat(node)},"
    if len(line) <= WIDTH:
        return [line]
    match node:
        case ast.Tuple(items):
            lines = _listed([flat(item) for item in items], indent + _INDENT)
            if len(items) == 1 or any(len(line) > WIDTH for line in lines):
                lines = [line for item in items for line in _item("", item, indent + _INDENT)]
            return [f"{margin}{prefix}(", *lines, f"{margin}),"]
        case ast.Call(function, args, keywords) if args or keywords:
            inner = _called(node, indent + _INDENT)
            return [f"{margin}{prefix}{_flat(function, _ATOM)}(", *inner, f"{margin}),"]
    return [line]


def _listed(items: Sequence[str], indent: int) -> list[str]:
    """The items on one line if they fit, else one a line, each with a comma."""
    margin = " " * indent
    line = margin + ", ".join(items)
    if len(line) <= WIDTH:
        return [line]
    if len(items) == 1 and " for " in items[0]:
        element, _, rest = items[0].partition(" for ")
        return [f"{margin}{element}", f"{margin}for {rest}"]
    return [f"{margin}{item}," for item in items]


def _split(node: ast.expr, indent: int) -> list[str]:
    """The operands of the loosest operator, one a line, or the expression as it is."""
    margin = " " * indent
    line = margin + flat(node)
    if len(line) <= WIDTH:
        return [line]
    return [margin + part for part in _operands(node)]


def _operands(node: ast.expr) -> list[str]:
    """The operands of the loosest binary operator, each but the first with its sign; the branches of a choice."""
    if isinstance(node, ast.IfExp):
        return [_flat(node.body, _OR), f"if {_flat(node.test, _OR)}", f"else {_flat(node.orelse, _TEST)}"]
    if not isinstance(node, ast.BinOp) or isinstance(node.op, ast.Pow):
        return [flat(node)]
    level = _BINARY[type(node.op)][1]
    parts: list[str] = []
    current: ast.expr = node
    while isinstance(current, ast.BinOp) and _BINARY[type(current.op)][1] == level:
        parts.append(f"{_BINARY[type(current.op)][0]} {_flat(current.right, level + 1)}")
        current = current.left
    parts.append(_flat(current, level))
    return parts[::-1]


def signature(head: str, items: Sequence[str], tail: str, indent: int) -> list[str]:
    """`head(items)tail`, such as the first line of a function, broken like a call."""
    margin = " " * indent
    line = f"{margin}{head}({', '.join(items)}){tail}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{margin}{head}(", *_listed(items, indent + _INDENT), f"{margin}){tail}"]
