"""Sizes: integer polynomials over symbols, quotients, remainders, minima, maxima and powers of constants.

A size is kept in one normal form, so that equal polynomials are equal objects: terms in graded lexicographic order,
quotients and remainders reduced by polynomial division (Cox, Little, O'Shea, "Ideals, Varieties, and Algorithms",
chapter 2), powers of one base merged. Every rule is an identity of the integers wherever both sides are defined; what
depends on the sign of a symbol is left to `Facts`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import gcd
from typing import Literal

from archc.types.limits import (
    MAX_DEGREE,
    MAX_NESTING,
    MAX_TERMS,
    MAX_WEIGHT,
    SizeError,
    SizeOverflow,
    checked,
    checked_power,
)

Kind = Literal["symbol", "//", "%", "min", "max", "^", "log2"]
RANK: dict[Kind, int] = {"symbol": 0, "^": 1, "//": 2, "%": 3, "min": 4, "max": 5, "log2": 6}


@dataclass(frozen=True, eq=False, repr=False)
class Atom:
    """What a polynomial takes as a variable: a symbol, or an operation that is not polynomial on sizes.

    A power has a constant base and a symbolic exponent; minima and maxima have two arguments or more.
    """

    kind: Kind
    name: str = ""
    arguments: tuple[Size, ...] = ()

    def __getstate__(self) -> dict[str, object]:
        """What is kept when it travels: no hash, which is another in every process."""
        return {"kind": self.kind, "name": self.name, "arguments": self.arguments}

    @cached_property
    def _hash(self) -> int:
        return hash((self.kind, self.name, self.arguments))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Atom) or self._hash != other._hash:
            return False
        return (self.kind, self.name, self.arguments) == (other.kind, other.name, other.arguments)

    @cached_property
    def key(self) -> tuple[int, str]:
        """The place of this atom among others, the same in every run."""
        return RANK[self.kind], self.name or str(Size.of_atom(self))

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The names of the symbols in this atom."""
        return frozenset({self.name}) if self.name else frozenset().union(*(part.symbols for part in self.arguments))

    @cached_property
    def weight(self) -> int:
        """How many symbols, numbers and operations a print of this atom shows."""
        return 1 + sum(part.weight for part in self.arguments)

    @cached_property
    def nesting(self) -> int:
        """How many operations lie inside one another here."""
        return 1 + max((part.nesting for part in self.arguments), default=0)

    def rebuilt(self, change: Callable[[Size], Size]) -> Size:
        """This atom over changed arguments, in normal form."""
        if self.kind == "symbol":
            return Size.of_atom(self)
        first, *others = [change(part) for part in self.arguments]
        if self.kind == "log2":
            return first.log2
        for other in others:
            first = OPERATION[self.kind](first, other)
        return first

    def __repr__(self) -> str:
        return str(Size.of_atom(self))


Monomial = tuple[tuple[Atom, int], ...]


def place(term: tuple[Monomial, int]) -> tuple[int, list[tuple[tuple[int, str], int]]]:
    """Graded lexicographic order, largest monomial first."""
    return -sum(power for _, power in term[0]), [(atom.key, -power) for atom, power in term[0]]


def _by_key(factor: tuple[Atom, int]) -> tuple[int, str]:
    return factor[0].key


@dataclass(frozen=True, eq=False, repr=False)
class Size:
    """An integer-valued expression in normal form: immutable, hashable, equal to what it prints like.

    Build one with `Size.of` and `Size.symbol` and the operators, which take integers on either side.
    """

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def of(value: int) -> Size:
        """The constant size `value`; raises SizeOverflow beyond 53 bits."""
        return _constant(checked(value))

    @staticmethod
    @lru_cache(maxsize=4096)
    def symbol(name: str) -> Size:
        """The size known by `name` only."""
        return Size.of_atom(Atom("symbol", name))

    @staticmethod
    def of_atom(atom: Atom) -> Size:
        """The polynomial that is just this atom."""
        return Size(((((atom, 1),), 1),))

    @staticmethod
    def sum_of(terms: Iterable[tuple[Monomial, int]]) -> Size:
        """The polynomial with these terms, like terms collected; raises SizeOverflow when it is too large."""
        found: dict[Monomial, int] = {}
        for monomial, factor in terms:
            found[monomial] = found.get(monomial, 0) + factor
        if any(factor and _has_negative_power(monomial) for monomial, factor in found.items()):
            found = _absorbed(found)
        kept = [term for term in found.items() if term[1]]
        if not kept or (len(kept) == 1 and not kept[0][0]):
            return Size.of(kept[0][1] if kept else 0)
        return bounded(Size(tuple(sorted(kept, key=place) if len(kept) > 1 else kept)))

    @staticmethod
    def minimum(first: Size | int, second: Size | int) -> Size:
        """The smaller of two sizes."""
        from archc.types.operations import extreme

        return extreme("min", _size(first), _size(second))

    @staticmethod
    def maximum(first: Size | int, second: Size | int) -> Size:
        """The larger of two sizes."""
        from archc.types.operations import extreme

        return extreme("max", _size(first), _size(second))

    @property
    def log2(self) -> Size:
        """The least whole k with 2^k at least this size, 0 below 1: how many doublings of 1 reach it."""
        if self.constant is not None:
            return Size.of(_log2(self.constant))
        return bounded(Size.of_atom(Atom("log2", "", (self,))))

    @cached_property
    def constant(self) -> int | None:
        """The integer this size is, if it is one."""
        if not self.terms:
            return 0
        monomial, factor = self.terms[0]
        return None if monomial else factor

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The names of all symbols, those inside quotients and the like included."""
        return frozenset().union(*(atom.symbols for atom in self.atoms))

    @cached_property
    def name(self) -> str:
        """The name of the symbol this size is, or nothing."""
        (monomial, factor), *others = self.terms or (((), 0),)
        plain = factor == 1 and len(monomial) == 1 and monomial[0][1] == 1 and not others
        return monomial[0][0].name if plain else ""

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        """The atoms of the terms, each once, in the order of the terms; not those inside other atoms."""
        return tuple(dict.fromkeys(atom for monomial, _ in self.terms for atom, _ in monomial))

    @cached_property
    def offset(self) -> int:
        """The constant term."""
        return self.terms[-1][1] if self.terms and not self.terms[-1][0] else 0

    @cached_property
    def content(self) -> int:
        """The greatest common divisor of all factors; 0 for zero."""
        return gcd(*(factor for _, factor in self.terms))

    @cached_property
    def weight(self) -> int:
        """How many symbols, numbers and operations a print of this size shows."""
        return sum(1 + sum(atom.weight for atom, _ in monomial) for monomial, _ in self.terms)

    @cached_property
    def nesting(self) -> int:
        """How many operations that are not polynomial lie inside one another here."""
        return max((atom.nesting for atom in self.atoms), default=0)

    def __getstate__(self) -> dict[str, object]:
        """What is kept when it travels: no hash, which is another in every process."""
        return {"terms": self.terms}

    @cached_property
    def _hash(self) -> int:
        return hash(self.terms if self.constant is None else self.constant)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, int):
            return self.constant == other
        return isinstance(other, Size) and self._hash == other._hash and self.terms == other.terms

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __neg__(self) -> Size:
        return Size(tuple((monomial, -factor) for monomial, factor in self.terms))

    def __add__(self, other: Size | int) -> Size:
        other = _size(other)
        if self.constant is not None and other.constant is not None:
            return Size.of(self.constant + other.constant)
        if not self.terms:
            return other
        return Size.sum_of((*self.terms, *other.terms)) if other.terms else self

    def __sub__(self, other: Size | int) -> Size:
        return self + -_size(other)

    def __mul__(self, other: Size | int) -> Size:
        other = _size(other)
        if self.constant is not None and other.constant is not None:
            return Size.of(self.constant * other.constant)
        if self.constant is not None:
            return other * self
        if other.constant is not None:
            if other.constant == 1:
                return self
            return Size.sum_of((monomial, factor * other.constant) for monomial, factor in self.terms)
        return Size.sum_of(_products(self, other))

    def __floordiv__(self, other: Size | int) -> Size:
        from archc.types.operations import floor_quotient

        return floor_quotient(self, _size(other))

    def __mod__(self, other: Size | int) -> Size:
        from archc.types.operations import remainder

        return remainder(self, _size(other))

    def __pow__(self, other: Size | int) -> Size:
        from archc.types.operations import power

        return power(self, _size(other))

    def __radd__(self, other: int) -> Size:
        return _size(other) + self

    def __rsub__(self, other: int) -> Size:
        return _size(other) - self

    def __rmul__(self, other: int) -> Size:
        return _size(other) * self

    def __rfloordiv__(self, other: int) -> Size:
        return _size(other) // self

    def __rmod__(self, other: int) -> Size:
        return _size(other) % self

    def __rpow__(self, other: int) -> Size:
        return _size(other) ** self

    def substitute(self, mapping: Mapping[str, Size | int]) -> Size:
        """This size with symbols replaced, in normal form again; raises SizeError where that has no value."""
        if self.symbols.isdisjoint(mapping):
            return self
        if self.name:
            return _size(mapping[self.name])
        return self.replaced({Atom("symbol", name): _size(value) for name, value in mapping.items()})

    def replaced(self, values: Mapping[Atom, Size]) -> Size:
        """This size with atoms replaced wherever they stand, inside other atoms too."""
        seen: dict[Atom, Size] = dict(values)

        def atom_value(atom: Atom) -> Size:
            if atom not in seen:
                seen[atom] = atom.rebuilt(size_value)
            return seen[atom]

        def size_value(size: Size) -> Size:
            return size.mapped(atom_value)

        return size_value(self)

    def mapped(self, value: Callable[[Atom], Size]) -> Size:
        """This polynomial with each atom of its terms replaced by `value(atom)`."""
        values = {atom: value(atom) for atom in self.atoms}
        if all(new.terms == Size.of_atom(atom).terms for atom, new in values.items()):
            return self
        total: list[tuple[Monomial, int]] = []
        for monomial, factor in self.terms:
            product = Size.of(factor)
            for atom, power in monomial:
                product = product * values[atom] ** power
            total.extend(product.terms)
            if len(total) > 4 * MAX_TERMS:
                total = list(Size.sum_of(total).terms)
        return Size.sum_of(total)

    def evaluate(self, mapping: Mapping[str, int]) -> int:
        """The integer this size is for these symbols; raises SizeError for a missing symbol or a division by zero."""
        total = 0
        for monomial, factor in self.terms:
            for atom, power in monomial:
                factor = checked(factor * checked_power(_atom_value(atom, mapping), power))
            total = checked(total + factor)
        return total

    @cached_property
    def _text(self) -> str:
        from archc.types.notation import LANGUAGE, written

        return written(self, LANGUAGE, str)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Size({self})"

    def python(self, name: Callable[[str], str]) -> str:
        """A Python expression of this size; `name` gives each symbol's, which must bind as tightly as a name."""
        from archc.types.notation import PYTHON, written

        return written(self, PYTHON, name)


def _size(value: Size | int) -> Size:
    return value if isinstance(value, Size) else Size.of(value)


@lru_cache(maxsize=4096)
def _constant(value: int) -> Size:
    return Size((((), value),) if value else ())


ZERO = _constant(0)
ONE = _constant(1)


def bounded(size: Size) -> Size:
    if len(size.terms) > MAX_TERMS:
        raise SizeOverflow(f"a size of {len(size.terms)} terms, where {MAX_TERMS} are the most")
    nested = False
    for monomial, factor in size.terms:
        checked(factor)
        degree = 0
        for atom, power in monomial:
            degree += power
            nested = nested or atom.kind != "symbol"
        if degree > MAX_DEGREE:
            raise SizeOverflow(f"a size of degree above {MAX_DEGREE}")
    if nested and (size.weight > MAX_WEIGHT or size.nesting > MAX_NESTING):
        raise SizeOverflow("a size nested too deeply to be written")
    return size


def _products(left: Size, right: Size) -> Iterator[tuple[Monomial, int]]:
    for monomial, factor in left.terms:
        for other, by in right.terms:
            yield times(monomial, factor * by, other)


def times(left: Monomial, factor: int, right: Monomial) -> tuple[Monomial, int]:
    """The term factor * left * right, powers of one base merged: 2^a * 2^b = 2^(a + b)."""
    if not left or not right:
        return left or right, factor
    powers: dict[Atom, int] = {}
    exponents: dict[int, Size] = {}
    for atom, power in (*left, *right):
        if atom.kind == "^":
            base = atom.arguments[0].offset
            exponents[base] = exponents.get(base, ZERO) + atom.arguments[1] * power
        else:
            powers[atom] = powers.get(atom, 0) + power
    for base, exponent in exponents.items():
        merged, outside = power_parts(base, exponent)
        factor *= outside
        if merged is not None:
            powers[merged] = 1
    return tuple(sorted(powers.items(), key=_by_key)), factor


def power_parts(base: int, exponent: Size) -> tuple[Atom | None, int]:
    """The atom and the integer whose product is base^exponent; a positive constant in the exponent goes outside."""
    if exponent.constant is not None:
        return None, checked_power(base, exponent.constant)
    outside = max(exponent.offset, 0)
    return Atom("^", "", (_constant(base), exponent - outside)), checked_power(base, outside)


def _has_negative_power(monomial: Monomial) -> bool:
    return any(atom.kind == "^" and atom.arguments[1].offset < 0 for atom, _ in monomial)


def _absorbed(terms: dict[Monomial, int]) -> dict[Monomial, int]:
    """2 * 2^(l - 1) becomes 2^l: factors go into exponents with a negative constant, until none fits."""
    done: dict[Monomial, int] = {}
    waiting = list(terms.items())
    while waiting:
        monomial, factor = waiting.pop()
        factor += done.pop(monomial, 0)
        for atom, _ in monomial:
            if factor and atom.kind == "^" and atom.arguments[1].offset < 0 and factor % atom.arguments[0].offset == 0:
                base, exponent = atom.arguments
                grown = Atom("^", "", (base, exponent + 1))
                rest = [(grown if part == atom else part, power) for part, power in monomial]
                waiting.append((tuple(sorted(rest, key=_by_key)), factor // base.offset))
                break
        else:
            done[monomial] = factor
    return done


OPERATION: dict[Kind, Callable[[Size, Size], Size]] = {
    "//": operator.floordiv,
    "%": operator.mod,
    "^": operator.pow,
    "min": Size.minimum,
    "max": Size.maximum,
}


def _atom_value(atom: Atom, mapping: Mapping[str, int]) -> int:
    if atom.kind == "symbol":
        if atom.name not in mapping:
            raise SizeError(f"no value for the size {atom.name}")
        return mapping[atom.name]
    values = [part.evaluate(mapping) for part in atom.arguments]
    if atom.kind in ("min", "max"):
        return min(values) if atom.kind == "min" else max(values)
    if atom.kind == "log2":
        return _log2(values[0])
    left, right = values
    if atom.kind == "^":
        return checked_power(left, right)
    if not right:
        raise SizeError(f"division by zero in {Size.of_atom(atom)}")
    return left // right if atom.kind == "//" else left % right


def _log2(value: int) -> int:
    return max(value - 1, 0).bit_length()
