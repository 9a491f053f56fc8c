"""What argmax and argmin share: the position of an extremal entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from archc.ops.operation import Lowered, Lowering, OneAxis, Operation
from archc.types.size import Size
from archc.types.tensor_type import TensorType


class Extremal(Operation):
    """The first position along the axis `over` of what `reduction` finds there."""

    reduction: ClassVar[str]
    over: OneAxis

    def meaning(self, arity: int) -> str:
        return f"""(x: real[over]) -> (y: index(over)[])
            where size(over) >= 1
        {{
            let best = {self.reduction} over: x
            return min over where x == best: over
        }}"""

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        (x,) = operands
        return tuple(x.sizes.values())

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        axes = tuple(axis for axis in x.axes if axis != self.over[0].name)
        return (Lowered(f"{x.text}.{self.word}({to.dim(x, self.over[0].name)})", axes),)
