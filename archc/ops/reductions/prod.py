"""The product."""

from __future__ import annotations

from dataclasses import replace
from typing import final

from archc.formula.algebra import times
from archc.formula.rename import along
from archc.formula.tree import Apply, Formula, Position, Reduce
from archc.ops.arithmetic import np
from archc.ops.expression import bracket
from archc.ops.operation import Array, Reduction


@final
class Prod(Reduction):
    """The product of the entries; 1 of none."""

    word = "prod"
    identity = 1.0
    scatter = "prod"

    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        return np.asarray(np.prod(array, axis=axes, where=where))

    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        text = bracket(operand)
        # torch multiplies along one dimension at a time: in this order each step leaves the rest where they are
        for dim in sorted(dims, reverse=min(dims) >= 0):
            text += f".prod({dim})"
        return text

    def tangent(self, whole: Reduce, entry: Formula) -> Formula:
        # the product of the others, not the product divided by the entry, which may be 0
        others = {axis.name: f"{axis.name}_other" for axis in whole.axes}
        positions = {name: Position(other) for name, other in others.items()}
        differ = [Apply("ne", (Position(name), other)) for name, other in positions.items()]
        condition: Formula = differ[0] if len(differ) == 1 else Apply("or", tuple(differ))
        if whole.condition is not None:
            condition = Apply("and", (along(whole.condition, positions), condition))
        axes = tuple(replace(axis, name=others[axis.name]) for axis in whole.axes)
        rest = Reduce("prod", axes, along(whole.body, positions), condition)
        return Reduce("sum", whole.axes, times(rest, entry), whole.condition)
