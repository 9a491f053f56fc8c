"""What the running reductions share: every entry joined with all before it along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from archc.ops.operation import Lowered, Lowering, OneAxis, Operation
from archc.types.size import Size
from archc.types.tensor_type import TensorType


class Cumulative(Operation):
    """The `reduction` of the entries up to every position of the axis `over`; torch's method is `call`."""

    reduction: ClassVar[str]
    call: ClassVar[str]
    over: OneAxis

    def meaning(self, arity: int) -> str:
        return f"""(x: real[over]) -> (y: real[over]) {{
            let y[over] = {self.reduction} m where m <= over: x[over: m]
            return y
        }}"""

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        (x,) = operands
        return tuple(x.sizes.values())

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        return (Lowered(f"{x.text}.{self.call}({to.dim(x, self.over[0].name)})", x.axes),)
