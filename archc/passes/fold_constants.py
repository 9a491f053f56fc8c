"""Arithmetic on numbers and sizes, done while compiling."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import add, floordiv, mod, mul, sub, truediv
from typing import ClassVar, final

from archc.base.limits import LIMITS
from archc.formula.normal import size_of
from archc.formula.tree import Apply, Formula, Literal, Read, Reduce, SizeValue
from archc.ir.graph import TypedGraph
from archc.ir.node import Node, Region
from archc.ir.rewrite import with_formulas, with_nodes, with_regions
from archc.ops.registries import POINTWISE
from archc.passes.rewrite import ALL, Pass, Rewritten, in_each_block, kept
from archc.types.size import SizeError
from archc.types.tensor_type import Kind

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {"add": add, "sub": sub, "mul": mul, "div": truediv}
_WHOLE: dict[str, Callable[[int, int], int]] = {"floordiv": floordiv, "mod": mod}
_NEUTRAL = {"add": 0, "mul": 1, "sub": 0, "div": 1, "floordiv": 1, "pow": 1}
"""What a function leaves its other operand as it is for."""


@final
class FoldConstants(Pass):
    """Does the arithmetic on numbers and sizes inside formulas, and leaves out factors of 1 and addends of 0.

    Only what holds for every number: x * 0 stays, since x may be infinite, and sums are not put in another order.
    """

    word = "fold_constants"
    preserves: ClassVar[frozenset[str]] = ALL

    def apply(self, graph: TypedGraph) -> Rewritten:
        return kept(in_each_block(graph, lambda region: _folded(region, {})))


def _folded(region: Region, kinds: dict[str, Kind]) -> Region:
    """The region with its formulas folded; `kinds` are those of the values seen so far in its block."""
    kinds.update((value.name, value.type.kind) for value in region.inputs)
    nodes: list[Node] = []
    for node in region.nodes:
        node = with_regions(node, lambda inner: _folded(inner, kinds))
        nodes.append(with_formulas(node, lambda formula: fold(formula, kinds)))
        kinds.update((value.name, value.type.kind) for value in node.results)
    return with_nodes(region, nodes)


def fold(formula: Formula, kinds: Mapping[str, Kind]) -> Formula:
    """The formula with its arithmetic on numbers and sizes done; `kinds` are those of the values that it reads."""
    parts = {id(child): fold(child, kinds) for child in formula.children}
    if any(parts[id(child)] is not child for child in formula.children):
        formula = formula.rebuild(lambda child: parts[id(child)])
    if isinstance(formula, SizeValue) and formula.size.constant is not None:
        return Literal(formula.size.constant)
    if not isinstance(formula, Apply) or formula.attributes:
        return formula
    known = _number(formula) or _size(formula)
    return known if known is not None else _without_neutral(formula, kinds)


def _number(formula: Apply) -> Literal | None:
    """The number that a function of numbers is, where it is one that every machine agrees on."""
    numbers: list[int | float] = []
    for operand in formula.operands:
        if not isinstance(operand, Literal) or isinstance(operand.value, bool):
            return None
        numbers.append(operand.value)
    first, *others = numbers
    whole = [number for number in numbers if isinstance(number, int)]
    result: float = first
    if formula.function == "neg":
        result = -first
    elif formula.function in _ARITHMETIC and not (formula.function == "div" and 0 in others):
        for other in others:
            result = _ARITHMETIC[formula.function](result, other)
    elif formula.function in _WHOLE and len(whole) == 2 and whole[1] != 0:
        result = _WHOLE[formula.function](*whole)
    elif formula.function == "pow" and len(whole) == 2 and 0 <= whole[1] <= 64:
        result = whole[0] ** whole[1]
    else:
        return None
    if not math.isfinite(result) or (isinstance(result, int) and abs(result) > LIMITS.integer):
        return None
    return Literal(result)


def _size(formula: Apply) -> Formula | None:
    """The size that arithmetic on sizes is; a divisor must be a number, since one that is 0 has no quotient."""
    if not all(isinstance(one, SizeValue) or _is_whole(one) for one in formula.operands):
        return None
    if formula.function in _WHOLE and not isinstance(formula.operands[1], Literal):
        return None
    try:
        size = size_of(formula)
    except SizeError:
        return None
    if size is None:
        return None
    return SizeValue(size) if size.constant is None else Literal(size.constant)


def _is_whole(formula: Formula) -> bool:
    return isinstance(formula, Literal) and isinstance(formula.value, int) and not isinstance(formula.value, bool)


def _without_neutral(formula: Apply, kinds: Mapping[str, Kind]) -> Formula:
    """x for x * 1, x + 0, x / 1, x - 0, x // 1, x ^ 1 and -(-x), where that is of the same kind."""
    function, operands = formula.function, formula.operands
    match operands:
        case (Apply("neg", (inner,)),) if function == "neg":
            return inner
        case (Literal(bool(truth)), then, otherwise) if function == "where":
            chosen, other = (then, otherwise) if truth else (otherwise, then)
            return chosen if is_real(chosen, kinds) or not is_real(other, kinds) else formula
    if function not in _NEUTRAL:
        return formula
    first = 0 if function in ("add", "mul") else 1
    left = (
        tuple(one for at, one in enumerate(operands) if at < first or not _is_neutral(one, _NEUTRAL[function]))
        or operands[:1]
    )
    if len(left) == len(operands) or is_real(formula, kinds) != any(is_real(one, kinds) for one in left):
        return formula
    return left[0] if len(left) == 1 else Apply(function, left)


def _is_neutral(formula: Formula, value: int) -> bool:
    return isinstance(formula, Literal) and not isinstance(formula.value, bool) and formula.value == value


def is_real(formula: Formula, kinds: Mapping[str, Kind]) -> bool:
    """Whether the numbers of a formula are real (or complex) rather than whole or truth values."""
    match formula:
        case Literal(value=value):
            return isinstance(value, float)
        case Read(value=value):
            return kinds[value].word in ("real", "simplex", "point", "complex")
        case Apply(function=function, operands=operands):
            result = POINTWISE[function].result
            parts = operands[1:] if function == "where" else operands
            return result == "real" or (result == "same" and any(is_real(one, kinds) for one in parts))
        case Reduce(kind=kind, body=body):
            return kind in ("mean", "logsumexp") or is_real(body, kinds)
        case _:
            return False
