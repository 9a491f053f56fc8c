"""What is known about sizes, and what follows from it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import count
from math import gcd
from types import MappingProxyType

from archc.types.condition import Condition
from archc.types.limits import SizeError
from archc.types.operations import divided
from archc.types.polynomial import Atom, Monomial, Size
from archc.types.rewriting import Rewriting

STEPS = 128
DEPTH = 8
RELEVANT = 48
CASES = 3
FARTHEST = 1 << 20
WITNESSES = 0, 1, 2
FAR = 1000
REPAIRS = 8
NO_BOUNDS: Mapping[str, int] = MappingProxyType({})
Gaps = tuple[Size, ...]


class Facts:
    """Conditions that hold, and lower bounds of symbols; a symbol without a bound is at least 1.

    All answers hold for all admissible values of the symbols. Every search has a bound on its steps: an answer None
    means that nothing was found, not that there is nothing.
    """

    def __init__(self, conditions: Iterable[Condition] = (), at_least: Mapping[str, int] = NO_BOUNDS) -> None:
        self.conditions = tuple(dict.fromkeys(map(_as_divisibility, conditions)))
        self.at_least = dict(at_least)
        for condition in self.conditions:
            name, bound = condition.left.name, condition.right.constant
            if name and bound is not None and condition.operator in (">=", ">"):
                least = bound + (condition.operator == ">")
                self.at_least[name] = max(least, self.at_least.get(name, 1))

    def __repr__(self) -> str:
        return f"Facts({', '.join(map(str, self.conditions))})"

    def extended(self, conditions: Iterable[Condition]) -> Facts:
        """These facts and more."""
        added = tuple(conditions)
        return Facts((*self.conditions, *added), self.at_least) if added else self

    def prove(self, condition: Condition) -> bool | None:
        """True where it holds for all admissible values, False where it fails for all, None where unknown."""
        try:
            gap = self._forward(condition.left) - self._forward(condition.right)
            return self._decided(condition.operator, gap)
        except SizeError:
            return None

    def equal(self, left: Size, right: Size) -> bool | None:
        """Whether two sizes are equal: always, never (False), or not known (None)."""
        return True if left == right else self.prove(Condition("==", left, right))

    def normal(self, size: Size) -> Size:
        """The size with known equalities and divisibilities applied where that makes it no longer."""
        if size not in self._normal:
            try:
                new = self._rewriting.back(self._forward(size))
            except SizeError:
                new = size
            self._normal[size] = new if new.weight <= size.weight else size
        return self._normal[size]

    def lower(self, size: Size) -> int | None:
        """A constant that the size is never below, if one was found."""
        try:
            return self._lower(self._forward(size))
        except SizeError:
            return None

    def upper(self, size: Size) -> int | None:
        """A constant that the size is never above, if one was found."""
        least = self.lower(-size)
        return None if least is None else -least

    @cached_property
    def _rewriting(self) -> Rewriting:
        return Rewriting(self.conditions, lambda name: self.at_least.get(name, 1))

    @cached_property
    def _normal(self) -> dict[Size, Size]:
        return {}

    @cached_property
    def _answers(self) -> dict[tuple[Size, Gaps], bool]:
        return {}

    @cached_property
    def _known(self) -> Gaps:
        """The sizes that are at least zero by the facts."""
        found = dict.fromkeys(self._rewriting.gaps)
        for condition in self._rewriting.rest:
            try:
                found.update(dict.fromkeys(map(self._forward, condition.gaps)))
            except SizeError:
                continue
        return tuple(size for size in found if size.constant is None)

    @cached_property
    def _unequal(self) -> frozenset[Size]:
        found = set()
        for condition in self._rewriting.rest:
            if condition.operator == "!=":
                try:
                    gap = self._forward(condition.left) - self._forward(condition.right)
                except SizeError:
                    continue
                found |= {gap, -gap}
        return frozenset(found)

    def _forward(self, size: Size) -> Size:
        return self._powers_divided(self._rewriting.forward(size) if self._rewriting else size)

    def _decided(self, operator: str, gap: Size) -> bool | None:
        if operator in ("==", "!="):
            answer = self._zero(gap)
            return answer if operator == "==" or answer is None else not answer
        if operator in ("<", "<="):
            operator, gap = (">" if operator == "<" else ">="), -gap
        if operator == ">":
            gap = gap - 1
        if self._holds(gap):
            return True
        return False if self._holds(-gap - 1) else None

    def _zero(self, gap: Size) -> bool | None:
        if gap.constant is not None:
            return gap.constant == 0
        gap = _expanded(gap)
        if gap.constant is not None:
            return gap.constant == 0
        step = gcd(*(factor for monomial, factor in gap.terms if monomial))
        if gap.offset % step or gap in self._unequal:
            return False
        if self._holds(gap - 1) or self._holds(-gap - 1):
            return False
        return True if self._holds(gap) and self._holds(-gap) else None

    def _lower(self, size: Size) -> int | None:
        """Doubles the step until a bound cannot be proved, then halves it; begins at the symbols' lower bounds."""
        if size.constant is not None:
            return size.constant
        guess = self._shifted(size).offset
        if not self._holds(size - guess):
            step = 1
            while not self._holds(size - guess + step):
                step *= 32
                if step > FARTHEST:
                    return None
            guess -= step
        step = 1
        while self._holds(size - guess - step) and step < FARTHEST:
            guess, step = guess + step, step * 2
        while step > 1:
            step //= 2
            if self._holds(size - guess - step):
                guess += step
        return guess

    def _holds(self, gap: Size, given: Gaps = ()) -> bool:
        """Whether the size is at least zero; each minimum and maximum is taken case by case."""
        if gap.constant is not None:
            return gap.constant >= 0
        key = gap, given
        if key not in self._answers:
            self._answers[key] = False
            self._answers[key] = self._by_cases(gap, given)
        return self._answers[key]

    def _by_cases(self, gap: Size, given: Gaps) -> bool:
        extreme = next(_extremes(gap), None) if len(given) < 2 * CASES else None
        if extreme is None:
            return self._search(gap, given) or self._by_divisor(gap, given)
        sign = 1 if extreme.kind == "min" else -1
        for part in extreme.arguments:
            assumed = [(other - part) * sign for other in extreme.arguments if other != part]
            assumed += [Size.of_atom(extreme) - part, part - Size.of_atom(extreme)]
            if not self._holds(gap.replaced({extreme: part}), (*given, *assumed)):
                return False
        return True

    def _by_divisor(self, gap: Size, given: Gaps) -> bool:
        """A lone quotient against the rest, multiplied out: x // q <= y where x < q (y + 1), >= y where x >= q y."""
        for monomial, factor in gap.terms:
            if len(monomial) != 1 or abs(factor) != 1:
                continue
            (atom, power) = monomial[0]
            if atom.kind != "//" or power != 1 or atom.arguments[1].constant is not None:
                continue
            top, by = atom.arguments
            rest = gap - Size.of_atom(atom) * factor
            if atom in rest.atoms or not self._holds(by - 1):
                continue
            try:
                goal = by * (rest + 1) - 1 - top if factor < 0 else top + by * rest
            except SizeError:
                continue
            if self._holds(_expanded(self._forward(goal)), given):
                return True
        return False

    def _search(self, goal: Size, given: Gaps) -> bool:
        """Looks for goal = (something at least zero) + non-negative multiples of what is known, best first.

        Each step cancels the first term that stands in the way with a known inequality, times a non-negative monomial.
        Scaling by n leaves a slack of n - 1, because an integer is at least zero where n times it is above -n.
        """
        start = _tightened(self._shifted(goal))
        if not self._blocked(start):
            return True
        relevant = self._relevant(goal, given)
        if self._is_refuted(goal, relevant):
            return False
        known = [_tightened(self._shifted(size)) for size in relevant]
        order, seen = count(), {start}
        waiting: list[tuple[int, int, int, Size]] = [(0, 0, 0, start)]
        while waiting:
            _, _, depth, size = heapq.heappop(waiting)
            for new in self._steps(size, self._blocked(size)[0], known):
                blocked = self._blocked(new)
                if not blocked:
                    return True
                if len(seen) > STEPS:
                    return False
                if depth < DEPTH and new not in seen:
                    seen.add(new)
                    heapq.heappush(waiting, (len(blocked) + depth, next(order), depth + 1, new))
        return False

    def _is_refuted(self, goal: Size, known: Gaps) -> bool:
        """Whether a point that the known inequalities admit makes the goal negative, so that no proof can be found."""
        names = goal.symbols.union(*(size.symbols for size in known))
        for above in WITNESSES:
            point = _admitted({name: (self._rewriting.bound(name) or 0) + above for name in names}, known)
            if point is None:
                continue
            beyond = ({**point, name: point[name] + FAR} for name in sorted(goal.symbols))
            if any(_is_below_zero(goal, known, one) for one in (point, *beyond)):
                return True
        return False

    def _steps(self, size: Size, term: tuple[Monomial, int], known: list[Size]) -> Iterator[Size]:
        monomial, factor = term
        for fact in known:
            for other, by in fact.terms:
                part = divided(monomial, other) if (by > 0) == (factor > 0) else None
                if part is None or not all(self._atom_holds(atom) for atom, _ in part):
                    continue
                try:
                    multiple = Size.sum_of([(part, 1)]) * fact
                    for up, down in _scales(size, multiple, factor, by):
                        yield _tightened(size * up + (up - 1) - multiple * down)
                except SizeError:
                    continue

    def _blocked(self, size: Size) -> list[tuple[Monomial, int]]:
        """The terms of a size in shifted symbols that may be negative."""
        return [
            (monomial, factor)
            for monomial, factor in size.terms
            if factor < 0 or not all(power % 2 == 0 or self._atom_holds(atom) for atom, power in monomial)
        ]

    def _shifted(self, size: Size) -> Size:
        """The polynomial in x - (lower bound of x) for each symbol x, which keeps its name; atoms inside atoms stay."""

        def atom_value(atom: Atom) -> Size:
            low = self._rewriting.bound(atom.name) if atom.kind == "symbol" else None
            return Size.of_atom(atom) + (low or 0)

        return size.mapped(atom_value)

    def _atom_holds(self, atom: Atom) -> bool:
        """Whether an atom, a symbol taken from its lower bound on, is at least zero."""
        if atom.kind == "symbol":
            return self._rewriting.bound(atom.name) is not None
        if atom.kind in ("^", "log2"):
            return True
        if atom.kind == "min":
            return all(map(self._holds, atom.arguments))
        if atom.kind == "max":
            return any(map(self._holds, atom.arguments))
        top, by = atom.arguments
        return self._holds(by - 1) and (atom.kind == "%" or self._holds(top))

    def _relevant(self, goal: Size, given: Gaps) -> Gaps:
        """The known inequalities that share a symbol with the goal, near ones first, and those of the atoms met."""
        found: dict[Size, None] = dict.fromkeys(given)
        atoms: dict[Atom, None] = {}
        symbols = set(goal.symbols)
        fresh = [goal, *given]
        for _ in range(3):
            near = [size for size in self._known if size not in found and not symbols.isdisjoint(size.symbols)]
            found.update(dict.fromkeys(near[:RELEVANT]))
            fresh += near[:RELEVANT]
            met = [atom for size in fresh for atom in size.atoms if atom.kind != "symbol" and atom not in atoms]
            atoms.update(dict.fromkeys(met[:RELEVANT]))
            fresh = [size for atom in dict.fromkeys(met[:RELEVANT]) for size in self._bounds(atom)]
            found.update(dict.fromkeys(fresh))
            symbols.update(*(size.symbols for size in near))
            if not near and not fresh:
                break
        return tuple(found)

    def _bounds(self, atom: Atom) -> list[Size]:
        """What is at least zero by the meaning of an atom."""
        whole = Size.of_atom(atom)
        try:
            return list(self._meaning(atom, whole))
        except SizeError:
            return []

    def _meaning(self, atom: Atom, whole: Size) -> Iterator[Size]:
        if atom.kind in ("min", "max"):
            sign = 1 if atom.kind == "min" else -1
            yield from ((part - whole) * sign for part in atom.arguments)
            return
        if atom.kind == "log2":
            yield whole
            return
        left, right = atom.arguments
        if atom.kind == "^":
            yield whole - 1
            yield whole - right - 1
        elif self._holds(right - 1):
            if atom.kind == "%":
                yield right - 1 - whole
                yield whole
                quotient = left // right
                yield left - right * quotient - whole
                yield whole - left + right * quotient
            else:
                yield left - right * whole
                yield right * whole - left + right - 1
            if self._holds(left):
                yield left - whole

    def _powers_divided(self, size: Size) -> Size:
        """Divides b^e by b^k inside quotients and remainders where e >= k is known."""
        if not any(atom.kind in ("//", "%") and _has_power(atom) for atom in size.atoms):
            return size
        return size.mapped(self._power_divided)

    def _power_divided(self, atom: Atom) -> Size:
        if atom.kind not in ("//", "%") or not _has_power(atom):
            return Size.of_atom(atom)
        top, by = map(self._powers_divided, atom.arguments)
        parts = [(Size((term,)), self._lowered(term, by)) for term in top.terms]
        whole = sum((quotient for _, quotient in parts if quotient is not None), Size.of(0))
        rest = sum((term for term, quotient in parts if quotient is None), Size.of(0))
        return whole + rest // by if atom.kind == "//" else rest % by

    def _lowered(self, term: tuple[Monomial, int], by: Size) -> Size | None:
        """term / by where both are powers of one base times more, and the exponent allows it."""
        for atom, _ in term[0]:
            if atom.kind != "^":
                continue
            base, exponent = atom.arguments
            less = _exponent(base.offset, by)
            if less is not None and less.constant != 0 and self._holds(exponent - less):
                rest = divided(term[0], ((atom, 1),)) or ()
                return Size(((rest, term[1]),)) * base ** (exponent - less)
        return None


def _admitted(point: dict[str, int], known: Gaps) -> dict[str, int] | None:
    """A point at which the known inequalities hold, found from another by raising what they have too little of."""
    for _ in range(REPAIRS):
        try:
            broken = [size for size in known if size.evaluate(point) < 0]
        except SizeError:
            return None
        if not broken:
            return point
        low = (m for size in broken for m, factor in size.terms if factor > 0)
        for name in dict.fromkeys(atom.name for monomial in low for atom, _ in monomial if atom.kind == "symbol"):
            point[name] = 2 * point[name] + 1
    return None


def _is_below_zero(goal: Size, known: Gaps, point: Mapping[str, int]) -> bool:
    """Whether the goal is negative at a point at which the known inequalities hold."""
    try:
        return goal.evaluate(point) < 0 and all(size.evaluate(point) >= 0 for size in known)
    except SizeError:
        return False


def _scales(size: Size, multiple: Size, factor: int, by: int) -> dict[tuple[int, int], None]:
    """How often to take a goal and a known inequality: until the term at hand goes, or a positive one, or once each."""
    there = dict(size.terms)
    shared = [(there[monomial], count) for monomial, count in multiple.terms if count > 0 < there.get(monomial, 0)]
    pairs = [(factor, by), *shared[:1], (1, 1)]
    return dict.fromkeys((abs(right) // gcd(left, right), abs(left) // gcd(left, right)) for left, right in pairs)


def _as_divisibility(condition: Condition) -> Condition:
    """`p == q * (p // q)` says that q divides p."""
    if condition.operator != "==":
        return condition
    gap = condition.left - condition.right
    for atom in gap.atoms:
        if atom.kind == "//":
            top, by = atom.arguments
            rest = top - by * Size.of_atom(atom)
            if rest in (gap, -gap):
                return Condition("==", top % by, Size.of(0))
    return condition


def _exponent(base: int, size: Size) -> Size | None:
    """The e with base^e = size, if that is how the size is built."""
    if size.constant is not None:
        power, exponent = 1, 0
        while power < size.constant:
            power, exponent = power * base, exponent + 1
        return Size.of(exponent) if power == size.constant else None
    if len(size.atoms) != 1 or size.atoms[0].kind != "^" or len(size.terms) != 1:
        return None
    outside = _exponent(base, Size.of(size.content))
    there, exponent_size = size.atoms[0].arguments
    return exponent_size + outside if outside is not None and there.offset == base else None


def _has_power(atom: Atom) -> bool:
    return atom.kind == "^" or any(_has_power(inner) for part in atom.arguments for inner in part.atoms)


def _extremes(size: Size) -> Iterator[Atom]:
    """The minima and maxima in a size, inner ones first."""
    for atom in size.atoms:
        for part in atom.arguments:
            yield from _extremes(part)
        if atom.kind in ("min", "max"):
            yield atom


def _expanded(size: Size) -> Size:
    """The size with p % q written p - q * (p // q)."""
    return size.mapped(lambda atom: _by_quotient(atom) if atom.kind == "%" else Size.of_atom(atom))


def _by_quotient(atom: Atom) -> Size:
    top, by = atom.arguments
    return top - by * (top // by)


def _tightened(size: Size) -> Size:
    """g * p + c is at least zero exactly where p + c // g is."""
    step = gcd(*(factor for monomial, factor in size.terms if monomial))
    return Size.sum_of((monomial, factor // step) for monomial, factor in size.terms) if step > 1 else size
