"""Stacking along a new axis."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, NewAxis, Operation, Sample


@final
class Stack(Operation):
    """The operands side by side along a new axis, named by `axis`, of as many positions as there are operands."""

    word = "stack"
    variadic = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("a: real[batch, d], b: real[batch, d]", "stack(a, b, axis = k)", "real[batch, d, k: 2]"),
        Sample("a: real[h, w], b: real[w, h], c: real[h, w]", "stack(a, b, c, axis = rgb)", "real[rgb: 3, h, w]"),
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
        first = to.operands[0]
        axes = (*first.axes, self.axis[0].name)
        if len(to.operands) == 1:
            return (Lowered(f"{first.text}.unsqueeze(-1)", axes),)
        if any(set(other.axes) != set(first.axes) for other in to.operands):
            return None  # one must first be spread along an axis that it lacks
        parts = ", ".join(to.arrange(operand, first.axes).text for operand in to.operands)
        return (Lowered(f"torch.stack(({parts}), -1)", axes),)
