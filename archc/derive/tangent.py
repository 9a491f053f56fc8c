"""The tangent of a formula: how the number it denotes moves where some of the values that it reads move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archc.derive.slope import slope
from archc.formula.algebra import ONE, ZERO, difference, is_number, times, total
from archc.formula.rename import distinct
from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce
from archc.ops.registries import REDUCTIONS

Move = str | Literal
"""What a value moves by: another value, read at the same indices, or the same number at every position."""


def tangent(
    formula: Formula, moves: Mapping[str, Move], direction: Sequence[str] = (), own: Formula | None = None
) -> Formula:
    """How the formula moves, to first order, where the values named in `moves` do.

    The tangent is linear in what the values move by. It is `ZERO` where none of them is read, or only by what has no
    derivative: conditions, indices, rounding. Where a function has a kink, it is what torch takes it for. A value that
    others move by may have axes more than they, named by `direction`, along which the tangent then lies too. `own`
    reads the value that the formula is the formula of, where there is one, so that it is not computed again.
    """
    moved = _Tangent(moves, tuple(map(Position, direction))).of(formula)
    if own is not None:
        moved = _known(moved, formula, own)
    return distinct(moved, formula.free.union(direction))


def _known(formula: Formula, part: Formula, value: Formula) -> Formula:
    """The formula with the value for a part of it that is known."""
    return value if formula == part else formula.rebuild(lambda child: _known(child, part, value))


@dataclass(frozen=True)
class _Tangent:
    moves: Mapping[str, Move]
    direction: tuple[Position, ...]

    def of(self, formula: Formula) -> Formula:
        """The tangent of a part, its bound axes perhaps named as others."""
        if self.moves.keys().isdisjoint(formula.reads):
            return ZERO
        match formula:
            case Read():
                return self.of_read(formula)
            case Apply(operands=operands):
                entries = map(self.of, operands)
                moved = [(at, entry) for at, entry in enumerate(entries) if not is_number(entry, 0)]
                return total(*(times(slope(formula, at), entry) for at, entry in moved))
            case Reduce(kind=kind, body=body):
                entry = self.of(body)
                return ZERO if is_number(entry, 0) else REDUCTIONS[kind]().tangent(formula, entry)
        return ZERO

    def of_read(self, read: Read) -> Formula:
        """One entry: of what its value moves by, or of what is read beyond the axis."""
        outside, move = read.outside, self.moves.get(read.value, ZERO)
        if outside is None:
            return self.moved(move, read, None)
        # one beyond the axis and zero inside, whatever the value is
        is_beyond = difference(Read(read.value, read.indices, ONE), Read(read.value, read.indices, ZERO))
        inside = self.moved(move, read, ZERO)
        if isinstance(inside, Literal):
            inside = times(inside, difference(ONE, is_beyond))
        return total(inside, times(self.of(outside), is_beyond))

    def moved(self, move: Move, read: Read, outside: Formula | None) -> Formula:
        return Read(move, (*read.indices, *self.direction), outside) if isinstance(move, str) else move
