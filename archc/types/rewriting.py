"""Equalities and divisibilities as rewriting: where d % heads == 0 is known, d is heads * t for a new symbol t.

In those terms quotients and remainders disappear by the rules of the normal form alone: d // heads is t, and h // 2 is
4*t where h % 8 == 0 is known. `back` returns to the symbols of the author.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import gcd

from archc.types.condition import Condition
from archc.types.limits import SizeError
from archc.types.operations import common, divided
from archc.types.polynomial import ONE, ZERO, Atom, Monomial, Size

ROUNDS = 4


class Rewriting:
    """What equality facts say about symbols, composed into one substitution.

    `at_least` gives the lower bound of a symbol, None where there is none. `gaps` collects the sizes that are at least
    zero because the replaced symbols have lower bounds; `rest` the conditions that did not become rewriting.
    """

    def __init__(self, conditions: Iterable[Condition], at_least: Callable[[str], int | None]) -> None:
        self._at_least = at_least
        self._values: dict[Atom, Size] = {}
        self._zero: dict[Atom, Size] = {}
        self._exact: list[tuple[Atom, Size, Size]] = []
        self._wholes: list[tuple[str, Size, Size]] = []
        self.new_bounds: dict[str, int | None] = {}
        self.gaps: list[Size] = []
        self.rest: list[Condition] = list(conditions)
        for _ in range(ROUNDS):
            before = len(self.rest)
            self.rest = [condition for condition in self.rest if not self._taken(condition)]
            if len(self.rest) == before:
                break

    def __bool__(self) -> bool:
        return bool(self._values or self._zero)

    def forward(self, size: Size) -> Size:
        """The size in terms of the symbols that remain; raises SizeError where it has no value."""
        if self._values:
            size = size.replaced(self._values)
        if self._zero:
            size = size.replaced(self._zero)
        for quotient, top, by in self._exact:
            size = _multiplied_out(size, quotient, top, by)
        return size

    def back(self, size: Size) -> Size:
        """The size in the symbols of the author."""
        for name, top, by in reversed(self._wholes):
            size = _returned(size, name, top, by)
        return size

    def bound(self, name: str) -> int | None:
        """The lower bound of a symbol, new or old."""
        return self.new_bounds[name] if name in self.new_bounds else self._at_least(name)

    def _taken(self, condition: Condition) -> bool:
        if condition.operator != "==":
            return False
        try:
            left, right = self.forward(condition.left), self.forward(condition.right)
            gap = left - right
            return not gap.terms or self._divides(gap) or self._equal(left, right, gap)
        except SizeError:
            return False

    def _equal(self, left: Size, right: Size, gap: Size) -> bool:
        """Takes gap == 0 as the value of one symbol, the left side before the right before any other."""
        named = [side.atoms[0] for side in (left, right) if side.terms and len(side.atoms) == 1]
        for atom in dict.fromkeys((*named, *reversed(gap.atoms))):
            factor = _lone(gap, atom)
            if abs(factor) == 1:
                self._replace(atom, Size.of_atom(atom) - gap * factor)
                return True
        return False

    def _divides(self, gap: Size) -> bool:
        """Takes f * (p % q) + c == 0 as: p + c/f is a multiple of q."""
        open_terms = [(monomial, factor) for monomial, factor in gap.terms if monomial]
        if len(open_terms) != 1 or len(open_terms[0][0]) != 1:
            return False
        ((atom, power),), factor = open_terms[0]
        if atom.kind != "%" or power != 1 or gap.offset % factor:
            return False
        top, by = atom.arguments[0] + gap.offset // factor, atom.arguments[1]
        for part in top.atoms:
            multiple = _lone(top, part)
            rest = top - multiple * Size.of_atom(part)
            if not multiple or part.name in by.symbols:
                continue
            if abs(multiple) == 1:
                self._multiple(part, top, by, rest * -multiple, multiple)
                return True
            if by.constant is not None and not rest.terms:
                step = Size.of(by.constant // gcd(by.constant, multiple))
                self._multiple(part, Size.of_atom(part), step, ZERO, 1)
                return True
        self._zero[atom] = Size.of(-(gap.offset // factor))
        if not gap.offset:
            quotient = top // by
            if len(quotient.atoms) == 1 and quotient == Size.of_atom(quotient.atoms[0]):
                self._exact.append((quotient.atoms[0], top, by))
                self.gaps += (top - by * quotient, by * quotient - top)
        return True

    def _multiple(self, atom: Atom, top: Size, by: Size, start: Size, sign: int) -> None:
        """Replaces the symbol by start + sign * by * t, where t is new and is top / by."""
        name, low = f"'{len(self._wholes)}", self.bound(atom.name)
        self.new_bounds[name] = None
        if sign > 0 and low is not None and start.constant is not None:
            if by.constant is not None and by.constant > 0:
                self.new_bounds[name] = -((start.constant - low) // by.constant)
            elif low >= start.constant and self._positive(by):
                self.new_bounds[name] = min(low - start.constant, 1)
        self._wholes.append((name, top, by))
        self._replace(atom, start + sign * by * Size.symbol(name))

    def _positive(self, size: Size) -> bool:
        def positive(atom: Atom) -> bool:
            return atom.kind == "^" or (atom.kind == "symbol" and (self.bound(atom.name) or 0) > 0)

        return all(factor > 0 and all(positive(atom) for atom, _ in monomial) for monomial, factor in size.terms)

    def _replace(self, atom: Atom, value: Size) -> None:
        low = self.bound(atom.name)
        step = {atom: value}
        self._values = {old: size.replaced(step) for old, size in self._values.items()} | step
        self.gaps = [size.replaced(step) for size in self.gaps]
        if low is not None:
            self.gaps.append(value - low)


def _lone(size: Size, atom: Atom) -> int:
    """The factor of a symbol that stands in one term, alone, and nowhere else in the size; otherwise 0."""
    if atom.kind != "symbol":
        return 0
    with_it = [(m, factor) for m, factor in size.terms if any(atom.name in part.symbols for part, _ in m)]
    return with_it[0][1] if len(with_it) == 1 and with_it[0][0] == ((atom, 1),) else 0


def _multiplied_out(size: Size, quotient: Atom, top: Size, by: Size) -> Size:
    """Replaces by * (top // by) by top in every term that is a multiple of it."""
    if quotient not in size.atoms or len(by.terms) != 1:
        return size
    (monomial, factor) = by.terms[0]
    total = ZERO
    for term, count in size.terms:
        part = divided(term, ((quotient, 1),))
        part = divided(part, monomial) if part is not None and count % factor == 0 else None
        new = Size(((term, count),)) if part is None else Size.sum_of([(part, count // factor)]) * top
        total = total + new
    return total


def _returned(size: Size, name: str, top: Size, by: Size) -> Size:
    """Replaces the symbol `name`, which is top / by, taking into each term what it has of the divisor."""
    if name not in size.symbols:
        return size

    def atom_value(atom: Atom) -> Size:
        if atom.kind == "symbol" or name not in atom.symbols:
            return Size.of_atom(atom)
        return atom.rebuilt(lambda part: _returned(part, name, top, by))

    size, symbol = size.mapped(atom_value), Size.symbol(name).atoms[0]
    total = ZERO
    for monomial, factor in size.terms:
        power = dict(monomial).get(symbol, 0)
        without = divided(monomial, ((symbol, power),)) if power else monomial
        rest = Size.sum_of([(without or (), factor)])
        for _ in range(power):
            rest = _times_quotient(rest, top, by)
        total = total + rest
    return total


def _times_quotient(term: Size, top: Size, by: Size) -> Size:
    """term * (top / by), where the division is exact."""
    if len(by.terms) != 1 or len(term.terms) != 1:
        return term * (top // by)
    shared_factor = gcd(term.content, by.content)
    shared: Monomial = common((term.terms[0][0], by.terms[0][0]))
    part = Size.sum_of([(shared, shared_factor)]) if shared or shared_factor > 1 else ONE
    return (term // part) * (top // (by // part))
