"""Solves the size constraints of a block: an open size becomes known where one value is left, never by a guess."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from archc.types.size import Condition, Facts, Size, SizeError

OPEN = "?"
STEPS = 200_000
LONGEST = 32


@dataclass(frozen=True)
class Mismatch:
    """A constraint that fails or could not be proved: its sides as far as they are known, and where it came from."""

    left: Size
    operator: str
    right: Size
    origin: object

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@dataclass(frozen=True)
class Solution:
    """The sizes found, and what stands against them.

    `undetermined` lists every unknown without a value free of unknowns, in the order of their making.
    """

    values: dict[str, Size]
    refuted: list[Mismatch]
    unproved: list[Mismatch]
    undetermined: list[str]


@dataclass(frozen=True, eq=False)
class _Constraint:
    """A condition as it was recorded, with what it came from."""

    condition: Condition
    origin: object


class Solver:
    """Collects equations and conditions on sizes with unknowns; the symbols of the author are never solved for.

    An equation gives the value of an unknown that stands in it once, with a factor that divides the rest exactly.
    `steps` bounds how often equations are looked at, again after new values included.
    """

    def __init__(self, facts: Facts, steps: int = STEPS) -> None:
        self.facts = facts
        self._steps = steps
        self._at_least: dict[str, int] = {}
        self._values: dict[str, Size] = {}
        self._solved_by: dict[str, _Constraint] = {}
        self._constraints: list[_Constraint] = []
        self._waiting: dict[str, list[_Constraint]] = defaultdict(list)
        self._settled: set[_Constraint] = set()
        self._closing = False

    def unknown(self, hint: str, at_least: int = 1) -> Size:
        """A new size to be found, never below `at_least`; its name begins with a question mark and shows the hint."""
        name = f"{OPEN}{hint}.{len(self._at_least)}"
        self._at_least[name] = at_least
        return Size.symbol(name)

    def equate(self, left: Size, right: Size, origin: object) -> None:
        """Record that two sizes are equal."""
        if left != right:
            self.require(Condition("==", left, right), origin)

    def require(self, condition: Condition, origin: object) -> None:
        """Record a condition that must hold."""
        constraint = _Constraint(condition, origin)
        self._constraints.append(constraint)
        if condition.operator == "==":
            self._propagate(deque([constraint]))

    def resolve(self, size: Size) -> Size:
        """The size with the values found so far; raises SizeError where they leave it without a value."""
        solved = [name for name in size.symbols if name in self._values]
        return size.substitute({name: self._value(name) for name in solved}) if solved else size

    def solve(self) -> Solution:
        """Judge every constraint with all values in place."""
        self._closing = True
        self._propagate(deque(part for part in self._constraints if part.condition.operator == "=="))
        facts = Facts(self.facts.conditions, {**self.facts.at_least, **self._at_least})
        refuted: dict[Mismatch, None] = {}
        unproved: dict[Mismatch, None] = {}
        for constraint in self._constraints:
            if constraint not in self._settled:
                self._judge(constraint, facts, refuted, unproved)
        for name, constraint in self._solved_by.items():
            low = Condition(">=", self._value(name), Size.of(self._at_least[name]))
            if facts.prove(low) is False:
                refuted[Mismatch(low.left, ">=", low.right, constraint.origin)] = None
        values = {name: self._value(name) for name in self._at_least if name in self._values}
        values = {name: facts.normal(size) for name, size in values.items() if not self._open(size)}
        undetermined = [name for name in self._at_least if name not in values]
        return Solution(values, list(refuted), list(unproved), undetermined)

    def _value(self, name: str) -> Size:
        """The value of a solved unknown, without solved unknowns; kept, so that chains are followed once."""
        path = [name]
        while path:
            size = self._values[path[-1]]
            solved = [inner for inner in size.symbols if inner in self._values]
            later = [inner for inner in solved if not self._values.keys().isdisjoint(self._values[inner].symbols)]
            if later:
                path += later
                continue
            if solved:
                self._values[path[-1]] = size.substitute({inner: self._values[inner] for inner in solved})
            path.pop()
        return self._values[name]

    def _judge(
        self, constraint: _Constraint, facts: Facts, refuted: dict[Mismatch, None], unproved: dict[Mismatch, None]
    ) -> None:
        condition = constraint.condition
        try:
            left, right = facts.normal(self.resolve(condition.left)), facts.normal(self.resolve(condition.right))
        except SizeError:
            unproved[Mismatch(condition.left, condition.operator, condition.right, constraint.origin)] = None
            return
        answer = facts.prove(Condition(condition.operator, left, right))
        if answer is not True:
            found = refuted if answer is False else unproved
            found[Mismatch(left, condition.operator, right, constraint.origin)] = None

    def _propagate(self, agenda: deque[_Constraint]) -> None:
        while agenda:
            constraint = agenda.popleft()
            if constraint in self._settled or self._steps <= 0:
                continue
            self._steps -= 1
            try:
                left, right = self.resolve(constraint.condition.left), self.resolve(constraint.condition.right)
                found = self._solved(left, right)
            except SizeError:
                continue
            if left == right:
                self._settled.add(constraint)
            elif found is None:
                self._wait(constraint, left - right)
            else:
                name, value = found
                self._values[name] = value
                self._solved_by[name] = constraint
                self._settled.add(constraint)
                agenda.extend(self._waiting.pop(name, ()))

    def _wait(self, constraint: _Constraint, gap: Size) -> None:
        """Look again when an unknown of this equation is found: any of them, since each may leave another one alone."""
        for name in self._open(gap)[:LONGEST]:
            if not self._waiting[name] or self._waiting[name][-1] is not constraint:
                self._waiting[name].append(constraint)

    def _open(self, size: Size) -> list[str]:
        return sorted(name for name in size.symbols if name in self._at_least)

    def _solved(self, left: Size, right: Size) -> tuple[str, Size] | None:
        """An unknown and its value where left == right leaves it exactly one; the newest such unknown.

        While equations still come in, an unknown that is neither the only one nor a whole side waits: what comes later
        may say more than its value in terms of other unknowns, and elimination over the integers does not go back.
        """
        gap = left - right
        names = sorted(self._open(gap), key=lambda name: int(name.rpartition(".")[2]), reverse=True)
        if len(names) > 1 and not self._closing:
            names = [name for name in names if Size.symbol(name) in (left, right)]
        for name in names[:LONGEST]:
            for side, other in ((left, right), (right, left)):
                if side.name == name and name not in other.symbols:
                    return name, other
            value = self._isolated(gap, Size.symbol(name), name)
            if value is not None:
                return name, value
        return None

    def _isolated(self, gap: Size, unknown: Size, name: str) -> Size | None:
        """The value of an unknown in factor * unknown + rest == 0, where the factor is not 0 and divides the rest."""
        if sum(name in atom.symbols for atom in gap.atoms) != 1 or unknown.atoms[0] not in gap.atoms:
            return None
        rest = gap.substitute({name: 0})
        factor = (gap - rest).substitute({name: 1})
        if gap != factor * unknown + rest:
            return None
        if factor.constant in (1, -1):
            return rest * -factor
        if factor.constant is not None:
            return None if rest.content % factor.constant else -(rest // factor)
        if self._open(factor) or self._open(rest) or self.facts.prove(Condition("!=", factor, Size.of(0))) is not True:
            return None
        value = (-rest) // factor
        return value if self.facts.equal(value * factor, -rest) else None
