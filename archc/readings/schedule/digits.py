"""Axes that are read at the digits of one position: `x[n: k // size(m), m: k % size(m)]` is the axes as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from archc.formula.normal import ONE, size_of
from archc.formula.tree import Apply, Formula, Position
from archc.readings.schedule.tensor import Laid
from archc.types.size import Condition, Size

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation


class _Digit(NamedTuple):
    """`position // weight`, and that modulo `base` where there is one."""

    position: str
    weight: Size
    base: Size | None


def merged(at: Evaluation, part: Laid, indices: Mapping[str, Formula]) -> Laid:
    """The value with all axes that are digits of a position merged into an axis of that name."""
    digits = {axis: found for axis in part.axes if (found := _digit(indices[axis])) is not None}
    for position in dict.fromkeys(digit.position for digit in digits.values()):
        own = {axis: digit for axis, digit in digits.items() if digit.position == position}
        ordered = _from_the_first(at, part, own)
        if position not in part.axes and len(ordered) > 1:
            place = min(map(part.dim, ordered))
            others = [axis for axis in part.axes if axis not in own]
            part = at.scope.trace.permuted(part, [*others[:place], *ordered, *others[place:]])
            part = at.scope.trace.merge(part, ordered, position)
    return part


def _digit(index: Formula) -> _Digit | None:
    match index:
        case Apply("mod", (inner, modulus)):
            base, found = size_of(modulus), _digit(inner)
            if found is None or found.base is not None or base is None:
                return None
            return found._replace(base=base)
        case Apply("floordiv", (Position(name), divisor)):
            weight = size_of(divisor)
            return None if weight is None else _Digit(name, weight, None)
        case Position(name):
            return _Digit(name, ONE, None)
    return None


def _from_the_first(at: Evaluation, part: Laid, digits: Mapping[str, _Digit]) -> list[str]:
    """The axes by falling weight, where they are all digits of the position: each as long as the base of its digit,
    and together as long as the axis of the position. Nothing where they are not."""
    ordered: list[str] = []
    weight, left = ONE, dict(digits)
    while left:
        lowest = [axis for axis, digit in left.items() if digit.weight == weight]
        if not lowest:
            return []
        base = left.pop(lowest[0]).base
        size = part.size(lowest[0])
        # the first digit needs no base: the position is no longer than the axes together
        if base != size and (base is not None or left):
            return []
        ordered.insert(0, lowest[0])
        weight = weight * size
    (position,) = {digit.position for digit in digits.values()}
    is_whole = at.scope.facts.prove(Condition("==", weight, at.sizes[position])) is True
    return ordered if is_whole else []
