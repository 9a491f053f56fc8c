"""The tangent of a formula: how the number it denotes moves where some of the values that it reads move."""

from __future__ import annotations

from collections.abc import Mapping

from archc.derive.slope import slope
from archc.formula.algebra import ONE, ZERO, difference, is_number, times, total
from archc.formula.rename import distinct
from archc.formula.tree import Apply, Formula, Read, Reduce
from archc.ops.registries import REDUCTIONS


def tangent(formula: Formula, names: Mapping[str, str]) -> Formula:
    """How the formula moves, to first order, where each value named moves by the value that it is mapped to.

    The tangent is linear in what the values move by, which it reads at the same indices as the formula reads the
    values. It is `ZERO` where none of them is read, or only by what has no derivative: conditions, indices, rounding.
    Where a function has a kink, it is what torch takes it for.
    """
    return distinct(_tangent(formula, names), formula.free)


def _tangent(formula: Formula, names: Mapping[str, str]) -> Formula:
    if names.keys().isdisjoint(formula.reads):
        return ZERO
    match formula:
        case Read():
            return _of_read(formula, names)
        case Apply(operands=operands):
            moved = [_tangent(operand, names) for operand in operands]
            return total(
                *(times(slope(formula, at), entry) for at, entry in enumerate(moved) if not is_number(entry, 0))
            )
        case Reduce(kind=kind, body=body):
            entry = _tangent(body, names)
            return ZERO if is_number(entry, 0) else REDUCTIONS[kind]().tangent(formula, entry)
    return ZERO


def _of_read(read: Read, names: Mapping[str, str]) -> Formula:
    outside = read.outside
    beyond = ZERO if outside is None else _tangent(outside, names)
    inside: Formula = ZERO
    if read.value in names:
        inside = Read(names[read.value], read.indices, None if outside is None else ZERO)
    if is_number(beyond, 0):
        return inside
    # one beyond the axis and zero inside, whatever the value is
    is_beyond = difference(Read(read.value, read.indices, ONE), Read(read.value, read.indices, ZERO))
    return total(inside, times(is_beyond, beyond))
