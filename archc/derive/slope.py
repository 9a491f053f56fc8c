"""The derivative of a pointwise function by one of its operands, read from what the function states about itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache

from archc.base.diagnostic import Findings
from archc.base.span import Source
from archc.formula.algebra import ZERO, applied, negative, total
from archc.formula.tree import Apply, Formula, Literal
from archc.ops.operation import Pointwise
from archc.ops.registries import POINTWISE
from archc.syntax import tree
from archc.syntax.parse import parse_expression

_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_PRODUCTS = {"*": "mul", "/": "div"}


def slope(formula: Apply, at: int) -> Formula:
    """The derivative by the operand at a position, zero where the function has none."""
    function = POINTWISE[formula.function](**dict(formula.attributes))
    if not function.slopes:
        return ZERO
    operands = formula.operands
    names: dict[str, Formula] = {"f": formula}
    names |= {name: Literal(getattr(function, name)) for name in type(function).model_fields}
    if function.arity is None:
        rest = operands[:at] + operands[at + 1 :]
        names |= {"x": operands[at], "rest": applied(formula.function, *rest) if len(rest) > 1 else rest[0]}
        return _formula(_parsed(function.slopes[0]), names)
    names |= dict(zip(_operand_names(type(function)), operands, strict=True))
    return _formula(_parsed(function.slopes[at]), names)


@cache
def _operand_names(function: type[Pointwise]) -> tuple[str, ...]:
    return tuple(inspect.signature(function.value).parameters)[1:]


@cache
def _parsed(text: str) -> tree.Expr:
    findings = Findings()
    parsed = parse_expression(Source("slope", text), findings)
    if parsed is None:
        raise ValueError(f"`{text}` is no expression: {next(iter(findings)).message}")
    return parsed


def _formula(expr: tree.Expr, names: Mapping[str, Formula]) -> Formula:
    """An expression of numbers, names and functions of them."""
    match expr:
        case tree.Number(value=value):
            return Literal(value)
        case tree.Name(text=name):
            return names[name]
        case tree.Negate(operand=operand):
            return negative(_formula(operand, names))
        case tree.Power(base=base, exponent=exponent):
            return applied("pow", _formula(base, names), _formula(exponent, names))
        case tree.Sum(terms=terms, signs=signs):
            parts = [_formula(term, names) for term in terms]
            return total(*(part if sign == "+" else negative(part) for sign, part in zip(signs, parts, strict=True)))
        case tree.Product(factors=factors, operators=operators):
            found = _formula(factors[0], names)
            for factor, operator in zip(factors[1:], operators[1:], strict=True):
                found = applied(_PRODUCTS[operator], found, _formula(factor, names))
            return found
        case tree.Compare(operator=operator, left=left, right=right):
            return Apply(_COMPARISONS[operator], (_formula(left, names), _formula(right, names)))
        case tree.Logic(operator=operator, operands=operands):
            return Apply(operator, tuple(_formula(operand, names) for operand in operands))
        case tree.Call(function=function, arguments=arguments):
            return applied(function.text, *(_formula(argument.value, names) for argument in arguments))
    raise TypeError(f"a slope has no place for a {type(expr).__name__}")
