"""The largest entries and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, NewAxis, OneAxis, Operation, Sample
from archc.ops.ranked import rank
from archc.types.size import Size
from archc.types.tensor_type import TensorType


@final
class Topk(Operation):
    """The `size` largest entries along the axis `over` and their positions, two values along the new axis `axis`, from
    the largest on; the smallest ones where `largest` is false. `let (best, at) = topk(x, over = n, axis = k, size = 3)`

    Of equal entries the earlier comes first; in the generated module torch may choose another of them.
    """

    word = "topk"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample(
            "x: real[batch, n: 5]",
            "topk(x, over = n, axis = k, size = 2)",
            "real[batch, k: 2], at: index(5)[batch, k: 2]",
        ),
        Sample(
            "x: real[n: 6, m: 3]",
            "x |> topk(over = n, axis = best, size = 6, largest = false)",
            "real[best: 6, m: 3], at: index(n)[best: 6, m: 3]",
        ),
        Sample("x: real[batch, n: 5]", "topk(x, over = n, axis = k, size = 6)", code="E0321"),
        Sample("x: real[batch, n: 5]", "topk(x, over = n, size = 2)", code="E0205"),
        Sample("x: real[batch, n: 5]", "topk(x, over = n, axis = batch, size = 2)", code="E0303"),
    )
    over: OneAxis
    axis: NewAxis
    size: Size
    largest: bool = True

    def meaning(self, arity: int) -> str:
        return f"""(x: real[over]) -> (values: real[axis: size], positions: index(over)[axis: size])
            where size >= 0, size <= size(over)
        {{
            {rank(descending=self.largest)}
            let values[axis: size] = sum over where rank == axis: x
            let positions[axis: size] = sum over where rank == axis: over
            return values, positions
        }}"""

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        (x,) = operands
        return tuple(x.sizes.values())

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        over = self.over[0].name
        axes = tuple(self.axis[0].name if axis == over else axis for axis in x.axes)
        largest = "" if self.largest else ", largest=False"
        text = f"{x.text}.topk({to.size(self.size)}, {to.dim(x, over)}{largest})"
        top = to.name("top", text, axes, to.results[0])
        return Lowered(f"{top.text}.values", axes), Lowered(f"{top.text}.indices", axes)
