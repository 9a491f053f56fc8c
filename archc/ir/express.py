"""Sizes and formulas as expressions of the language, which elaborate to the same sizes and formulas again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from archc.base.span import Source, Span
from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, SizeValue, Training, walk
from archc.syntax import tree
from archc.types.condition import Condition
from archc.types.polynomial import Atom, Monomial
from archc.types.size import Size
from archc.types.tensor_type import Axis, TensorType

NOWHERE = Span(Source("", ""), 0, 0)
"""The place of what is printed and was never written."""

_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_QUOTIENTS = {"div": "/", "floordiv": "//", "mod": "%"}
Spell = Callable[[str], tree.Expr]


def name(text: str) -> tree.Name:
    """A name as an expression."""
    return tree.Name(span=NOWHERE, parts=(text,))


def number(value: float) -> tree.Expr:
    """A number, negative ones included."""
    if math.copysign(1, value) < 0:
        return tree.Negate(span=NOWHERE, operand=number(-value))
    return tree.Number(span=NOWHERE, value=value, text=repr(value))


def call(function: str, *operands: tree.Expr, **named: tree.Expr) -> tree.Call:
    """A call with operands by position and arguments by name."""
    arguments = [tree.Argument(span=NOWHERE, name=None, value=value) for value in operands]
    arguments += [tree.Argument(span=NOWHERE, name=word, value=value) for word, value in named.items()]
    return tree.Call(span=NOWHERE, function=name(function), arguments=tuple(arguments))


def size_expr(size: Size, spell: Spell = name) -> tree.Expr:
    """A size; `spell` says how its symbols are written."""
    if not size.terms:
        return number(0)
    # a positive term goes first where there is one: `b - a` reads better than `-a + b`
    terms = sorted(size.terms, key=lambda term: term[1] < 0)
    first, *others = [_product(monomial, abs(factor), spell) for monomial, factor in terms]
    if terms[0][1] < 0:
        first = tree.Negate(span=NOWHERE, operand=first)
    if not others:
        return first
    signs = ("+", *("+" if factor > 0 else "-" for _, factor in terms[1:]))
    return tree.Sum(span=NOWHERE, terms=(first, *others), signs=signs)


def condition_expr(condition: Condition, spell: Spell = name) -> tree.Expr:
    """A comparison of sizes."""
    left, right = (size_expr(side, spell) for side in (condition.left, condition.right))
    return tree.Compare(span=NOWHERE, operator=condition.operator, left=left, right=right)


def _product(monomial: Monomial, factor: int, spell: Spell) -> tree.Expr:
    parts = [number(factor)] if factor != 1 or not monomial else []
    parts += [_power(atom, power, spell) for atom, power in monomial]
    return (
        parts[0] if len(parts) == 1 else tree.Product(span=NOWHERE, factors=tuple(parts), operators=("*",) * len(parts))
    )


def _power(atom: Atom, power: int, spell: Spell) -> tree.Expr:
    base = _atom(atom, spell)
    return base if power == 1 else tree.Power(span=NOWHERE, base=base, exponent=number(power))


def _atom(atom: Atom, spell: Spell) -> tree.Expr:
    if atom.kind == "symbol":
        return spell(atom.name)
    parts = tuple(size_expr(part, spell) for part in atom.arguments)
    if atom.kind in ("min", "max"):
        return call(atom.kind, *parts)
    if atom.kind == "^":
        return tree.Power(span=NOWHERE, base=parts[0], exponent=parts[1])
    return tree.Product(span=NOWHERE, factors=parts, operators=("*", atom.kind))


@dataclass(frozen=True)
class Express:
    """Formulas of one block as expressions.

    `types` are those of its values, `homes` what tells every symbol that is the size of an axis: a value and its axis,
    or an axis alone.
    `axes` are the axes bound at the place, by their sizes: they hide size symbols of the same name.
    """

    types: Mapping[str, TensorType]
    homes: Mapping[str, tuple[str, ...]]
    axes: Mapping[str, Size]

    def within(self, axes: Mapping[str, Size]) -> Express:
        """The same where more axes are bound."""
        return replace(self, axes={**self.axes, **axes})

    def formula(self, formula: Formula) -> tree.Expr:
        """A formula as an expression that elaborates to it."""
        match formula:
            case Literal(value=bool(truth)):
                return tree.Truth(span=NOWHERE, value=truth)
            case Literal(value=value):
                return number(value)
            case SizeValue(size=size):
                return self.size_value(size)
            case Training():
                return name("training")
            case Position(axis=axis):
                return name(axis)
            case Read():
                return self.read(formula)
            case Reduce(kind=kind, axes=axes, body=body, condition=condition):
                inner = self.within({axis.name: axis.size for axis in axes})
                return tree.Reduction(
                    span=NOWHERE,
                    kind=kind,
                    axes=tuple(self.bound(axis, formula) for axis in axes),
                    condition=None if condition is None else inner.formula(condition),
                    body=inner.formula(body),
                )
            case Apply():
                return self.apply(formula)
        raise TypeError(f"a {type(formula).__name__} has no text")

    def bound(self, axis: Axis, formula: Reduce) -> tree.BoundAxis:
        """A bound axis, with its size where nothing is read along it."""
        parts = (part for part in walk(formula) if isinstance(part, Read) and part.outside is None)
        is_read = any(Position(axis.name) in part.indices for part in parts)
        size = None if is_read else size_expr(axis.size, self.symbol)
        return tree.BoundAxis(span=NOWHERE, name=name(axis.name), size=size)

    def size_value(self, size: Size) -> tree.Expr:
        """A size as a number: a bare name would be the position on an axis, and arithmetic a formula."""
        if size.name and size.name not in self.homes and size.name not in self.axes:
            return name(size.name)
        whole = size_expr(size, self.symbol)
        return whole if size.name else call("size", whole)

    def symbol(self, symbol: str) -> tree.Expr:
        """A size symbol where axes may hide it: as the size of an axis of a value."""
        if symbol in self.homes:
            return call("size", *map(name, self.homes[symbol]))
        return call("size", name(symbol)) if symbol in self.axes else name(symbol)

    def read(self, read: Read) -> tree.Expr:
        """A value, indexed along the axes that are not read as they are."""
        axes = self.types[read.value].names
        pairs = list(zip(axes, read.indices, strict=True))
        moved = [(axis, index) for axis, index in pairs if index != Position(axis)]
        if not moved and read.outside is None:
            return name(read.value)
        entries = tuple(
            tree.IndexEntry(span=NOWHERE, axis=name(axis), value=self.formula(index)) for axis, index in moved or pairs
        )
        outside = None if read.outside is None else self.formula(read.outside)
        return tree.Index(span=NOWHERE, value=name(read.value), entries=entries, outside=outside)

    def apply(self, formula: Apply) -> tree.Expr:
        """A pointwise function, with its sign where the language has one."""
        word = formula.function
        if word == "add":
            return self.sum(formula.operands)
        operands = tuple(map(self.formula, formula.operands))
        if word == "sub":
            return tree.Sum(span=NOWHERE, terms=operands, signs=("+", "-"))
        if word == "neg":
            return tree.Negate(span=NOWHERE, operand=operands[0])
        if word == "mul":
            return tree.Product(span=NOWHERE, factors=operands, operators=("*",) * len(operands))
        if word in _QUOTIENTS:
            return tree.Product(span=NOWHERE, factors=operands, operators=("*", _QUOTIENTS[word]))
        if word == "pow":
            return tree.Power(span=NOWHERE, base=operands[0], exponent=operands[1])
        if word in _COMPARISONS:
            left, right = operands
            return tree.Compare(span=NOWHERE, operator=_COMPARISONS[word], left=left, right=right)
        if word in ("and", "or", "not"):
            return tree.Logic(span=NOWHERE, operator=word, operands=operands)
        return call(word, *operands, **{key: number(value) for key, value in formula.attributes})

    def sum(self, addends: tuple[Formula, ...]) -> tree.Expr:
        """A sum; of three addends or more, negative ones are subtracted (`a - b` is a function of its own)."""
        terms, signs = [self.formula(addends[0])], ["+"]
        for addend in addends[1:]:
            is_negative = isinstance(addend, Apply) and addend.function == "neg" and len(addends) > 2
            terms.append(self.formula(addend.children[0] if is_negative else addend))
            signs.append("-" if is_negative else "+")
        return tree.Sum(span=NOWHERE, terms=tuple(terms), signs=tuple(signs))
