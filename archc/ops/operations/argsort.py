"""The order of the entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, OneAxis, Operation, Sample
from archc.ops.ranked import rank
from archc.types.size import Size
from archc.types.tensor_type import TensorType


@final
class Argsort(Operation):
    """Where the entries of `sort` stood: pointers of kind `index(over)`, from the smallest entry to the largest along
    the axis `over`, or the other way where `descending`. Equal entries stay in their order."""

    word = "argsort"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, n: 5]", "argsort(x, over = n)", "index(5)[batch, n: 5]"),
        Sample("x: real[n, m: 3]", "round(2 * x) |> argsort(over = n, descending = true)", "index(n)[n, m: 3]"),
        Sample("x: real[n, d], key: real[n]", "x[n: argsort(key, over = n)]", "real[n, d]"),
        Sample("x: real[batch, n: 5]", "argsort(x, over = d)", code="E0301"),
        Sample("x: real[n: 5], z: real[n: 4]", "z[n: argsort(x, over = n)]", code="E0316"),
    )
    over: OneAxis
    descending: bool = False

    def meaning(self, arity: int) -> str:
        return f"""(x: real[over]) -> (y: index(over)[over]) {{
            {rank(descending=self.descending)}
            let y[over] = sum m where rank[over: m] == over: m
            return y
        }}"""

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        (x,) = operands
        return (*x.sizes.values(), x.sizes[self.over[0].name].log2)

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        descending = ", descending=True" if self.descending else ""
        dim = to.dim(x, self.over[0].name)
        return (Lowered(f"{x.text}.argsort(dim={dim}{descending}, stable=True)", x.axes),)
