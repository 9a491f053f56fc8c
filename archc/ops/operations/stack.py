"""Stacking along a new axis."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, NewAxis, Operation, Sample, every_axis


@final
class Stack(Operation):
    """The operands side by side along a new axis, named by `axis`, of as many positions as there are operands."""

    word = "stack"
    variadic = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("a: real[batch, d], b: real[batch, d]", "stack(a, b, axis = k)", "real[batch, d, k: 2]"),
        Sample("a: real[h, w], b: real[w, h], c: real[h, w]", "stack(a, b, c, axis = rgb)", "real[rgb: 3, h, w]"),
        Sample("a: real[d], b: real[batch, d]", "stack(a, b, axis = k)", "real[batch, d, k: 2]"),
        Sample("a: real[batch, d]", "stack(a, axis = k)", "real[batch, d, k: 1]"),
        Sample("a: real[batch, d], b: real[batch, d]", "stack(a, b, axis = d)", code="E0303"),
        Sample("a: real[d: 2], b: real[d: 2]", "stack(a, b, axis = d)", code="E0303"),
        Sample("a: real[d: 3], b: real[d: 4]", "stack(a, b, axis = k)", code="E0312"),
    )
    axis: NewAxis

    def meaning(self, arity: int) -> str:
        ports = ", ".join(f"x{at}: real[]" for at in range(arity))
        chosen = f"x{arity - 1}"
        for at in reversed(range(arity - 1)):
            chosen = f"where(axis == {at}, x{at}, {chosen})"
        return f"""({ports}) -> (y: real[axis: {arity}]) {{
            let y[axis: {arity}] = {chosen}
            return y
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        axes = every_axis(to.operands)
        parts = [to.arrange(operand, axes).text for operand in to.operands]
        text = f"torch.stack(({', '.join(parts)}), -1)" if len(parts) > 1 else f"{parts[0]}.unsqueeze(-1)"
        return (Lowered(text, (*axes, self.axis[0].name)),)
