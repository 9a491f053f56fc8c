"""Normal random numbers."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, Operation, Sample


@final
class NormalDraw(Operation):
    """A number for each entry of x, from the standard normal distribution while the module is trained; in evaluation
    its mean, 0. `mean + deviation * normal_draw(mean)` is a draw whose gradient is that of mean and deviation (Kingma
    and Welling, arXiv 1312.6114, sec. 2.4)."""

    word = "normal_draw"
    draws = True
    formula = "(x: real[]) -> (y: real[]) { return 0 * stop_gradient(x) }"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "normal_draw(x)", "real[batch, d: 5]"),
        Sample("m: real[d, n], v: real[n, d]", "m + exp(v) * normal_draw(m)", "real[n, d]"),
        Sample("x: bool[batch, d: 5]", "normal_draw(x)", code="E0330"),
        Sample("x: real[batch, d: 5]", "normal_draw(x, x)", code="E0203"),
    )

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        draw = f"torch.randn_like({x.text}) if self.training else torch.zeros_like({x.text})"
        return (Lowered(draw, x.axes),)
