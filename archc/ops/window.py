"""What the poolings share: a grid cut into windows, each reduced to one entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from archc.ops.operation import Axes, Lowered, Lowering, Operation
from archc.types.size import Size


class Pool(Operation):
    """Windows of `size` positions along every axis `over`, one every `stride` positions (by default `size`, so that
    they touch); none reaches past the end. `reduction` is what becomes of a window, `call` torch's word for that."""

    reduction: ClassVar[str]
    call: ClassVar[str]
    over: Axes
    size: Size
    stride: Size | None = None

    @property
    def hypers(self) -> Mapping[str, Any]:
        return {"over": self.over, "size": self.size, "stride": self._stride}

    @property
    def _stride(self) -> Size:
        return self.size if self.stride is None else self.stride

    def meaning(self, arity: int) -> str:
        count = "(size(over) - size) // stride + 1"
        return f"""(x: real[over]) -> (y: real[over: {count}])
            where size >= 1, stride >= 1, size <= size(over)
        {{
            let window[over: {count}, tap.over: size] = x[over: stride * over + tap.over]
            return {self.reduction} tap.over: window
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        rank = len(self.over)
        if rank > 3:
            return None
        x = to.last(to.operands[0], [axis.name for axis in self.over])
        leading = len(x.axes) - rank
        size = to.size(self.size)
        steps = "" if self.stride in (None, self.size) else f", {to.size(self._stride)}"

        def pooled(text: str) -> str:
            return f"F.{self.call}_pool{rank}d({text}, {size}{steps})"

        # torch pools the last axes of a tensor that has one or two more
        if leading in (1, 2):
            return (Lowered(pooled(x.text), x.axes),)
        if leading == 0:
            return (Lowered(f"{pooled(f'{x.text}.unsqueeze(0)')}.squeeze(0)", x.axes),)
        flat = pooled(f"{x.text}.flatten(0, {-rank - 1})")
        return (Lowered(f"{flat}.unflatten(0, {x.text}.shape[:{-rank}])", x.axes),)
