"""The allow-list over generated text: what its syntax tree may hold, checked before anyone sees it."""

from __future__ import annotations

import ast
import builtins

_NODES = (
    ast.Module,
    ast.Import,
    ast.ImportFrom,
    ast.alias,
    ast.ClassDef,
    ast.FunctionDef,
    ast.arguments,
    ast.arg,
    ast.Return,
    ast.Assign,
    ast.AnnAssign,
    ast.Expr,
    ast.If,
    ast.For,
    ast.While,
    ast.With,
    ast.withitem,
    ast.Raise,
    ast.Call,
    ast.keyword,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.Constant,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Tuple,
    ast.List,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.GeneratorExp,
    ast.ListComp,
    ast.comprehension,
    ast.Lambda,
    ast.Starred,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
)
_IMPORTS = frozenset(
    (
        "import functools",
        "import math",
        "import torch",
        "import warnings",
        "from collections import abc",
        "import torch.nn.functional as F",
        "from typing import NamedTuple",
        "from torch import Tensor, nn",
        "from torch._higher_order_ops import scan as higher_order_scan",
        "from torch._higher_order_ops import while_loop",
    )
)
_BUILTINS = frozenset(
    (
        "RuntimeError",
        "ValueError",
        "int",
        "float",
        "range",
        "super",
        "min",
        "max",
        "abs",
        "round",
        "tuple",
        "sum",
        "pow",
        "len",
        "list",
        "zip",
        "isinstance",
        "staticmethod",
        "str",
    )
)
_FORBIDDEN = frozenset(
    ("eval", "exec", "compile", "open", "getattr", "setattr", "delattr", "globals", "locals", "vars")
)


class EmissionError(Exception):
    """Our own fault: generated text holds something that generated text never holds."""


def verify(text: str) -> None:
    """Raise EmissionError unless every node, import, attribute and free name of the text is allowed."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        _check(node)
    module = {name for statement in tree.body for name in _bound(statement)}
    for statement in tree.body:
        for part in (statement, *(statement.body if isinstance(statement, ast.ClassDef) else ())):
            if isinstance(part, ast.FunctionDef):
                _check_names(part, module)


def _check(node: ast.AST) -> None:
    if not isinstance(node, _NODES):
        raise EmissionError(f"a {type(node).__name__} at line {getattr(node, 'lineno', 0)}")
    if isinstance(node, ast.Import | ast.ImportFrom) and ast.unparse(node) not in _IMPORTS:
        raise EmissionError(f"the import `{ast.unparse(node)}`")
    name = _name(node)
    if name in _FORBIDDEN or (name.startswith("__") and name != "__init__"):
        raise EmissionError(f"the name {name}")


def _name(node: ast.AST) -> str:
    match node:
        case ast.Attribute(_, name) | ast.Name(name) | ast.FunctionDef(name) | ast.ClassDef(name) | ast.arg(name):
            return name
    return ""


def _bound(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names) | ast.ImportFrom(_, names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
        case ast.ClassDef(name) | ast.FunctionDef(name):
            return [name]
    return []


def _arguments(node: ast.arguments) -> list[ast.arg]:
    every = (*node.args, *node.kwonlyargs, node.vararg)
    return [argument for argument in every if argument is not None]


def _check_names(function: ast.FunctionDef, module: set[str]) -> None:
    """Every name is an argument, assigned, of the module, or one of a few builtins."""
    known = set(module) | {
        argument.arg for node in ast.walk(function) if isinstance(node, ast.arguments) for argument in _arguments(node)
    }
    loads: list[ast.Name] = []
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef):
            known.add(node.name)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                known.add(node.id)
            else:
                loads.append(node)
    for name in loads:
        if name.id not in known and not (name.id in _BUILTINS and hasattr(builtins, name.id)):
            raise EmissionError(f"the name {name.id} is not bound at line {name.lineno}")
