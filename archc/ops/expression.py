"""The grammar of Python expressions, as far as text made of text needs it: when an operand wants brackets."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

COMPARISON, SUM, PRODUCT, UNARY, PRIMARY = 5, 10, 11, 12, 14

_BINARY: dict[type[ast.operator], int] = {
    ast.BitOr: 6,
    ast.BitXor: 7,
    ast.BitAnd: 8,
    ast.LShift: 9,
    ast.RShift: 9,
    ast.Add: SUM,
    ast.Sub: SUM,
    ast.Pow: 13,
}
_PRIMARIES = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.Dict, ast.Set, ast.ListComp)


def precedence(text: str) -> int:
    """How tightly the outermost operator of a Python expression binds; `PRIMARY` for names, calls and literals."""
    if text.isidentifier() or text.isdecimal():
        return PRIMARY
    node = ast.parse(text, mode="eval").body
    match node:
        case ast.BinOp():
            return _BINARY.get(type(node.op), PRODUCT)
        case ast.UnaryOp():
            return 4 if isinstance(node.op, ast.Not) else UNARY
        case ast.Compare():
            return COMPARISON
        case ast.BoolOp():
            return 3 if isinstance(node.op, ast.And) else 2
    return PRIMARY if isinstance(node, _PRIMARIES) else 1


def bracket(text: str, least: int = PRIMARY) -> str:
    """The expression as an operand where anything that binds less than `least` needs brackets."""
    return text if precedence(text) >= least else f"({text})"


def infix(operator: str, operands: Sequence[str]) -> str:
    """`a + b + c`, each operand bracketed where needed. Comparisons never chain."""
    level = precedence(f"a {operator} b")
    first = level + 1 if level == COMPARISON else level
    return f" {operator} ".join(bracket(text, level + 1 if at else first) for at, text in enumerate(operands))


def is_number(text: str) -> bool:
    """Whether an expression is a numeric literal, with or without a sign."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def number(value: float) -> str:
    """A Python literal for a number; the infinities, which have none, through `float`."""
    return repr(value) if math.isfinite(value) else f'float("{value}")'


def dimensions(dims: Sequence[int]) -> str:
    """Dimensions as the argument of a torch reduction: `-1`, or `(-2, -1)`."""
    return str(dims[0]) if len(dims) == 1 else f"({', '.join(map(str, sorted(dims)))})"
