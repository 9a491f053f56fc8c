"""Uniform random numbers."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, Operation, Sample


@final
class UniformDraw(Operation):
    """A number for each entry of x, uniform in [0, 1) while the module is trained; in evaluation its mean, 1/2."""

    word = "uniform_draw"
    draws = True
    formula = "(x: real[]) -> (y: real[]) { return 0 * stop_gradient(x) + 0.5 }"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "uniform_draw(x)", "real[batch, d: 5]"),
        Sample("x: real[n, d: 3]", "x + uniform_draw(x) - 0.5", "real[n, d: 3]"),
        Sample("x: bool[batch, d: 5]", "uniform_draw(x)", code="E0330"),
        Sample("x: real[batch, d: 5]", "uniform_draw(x, x)", code="E0203"),
    )

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        draw = f"torch.rand_like({x.text}) if self.training else torch.full_like({x.text}, 0.5)"
        return (Lowered(draw, x.axes),)
