"""Random zeros and ones."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Lowered, Lowering, Operation, Sample


@final
class BernoulliDraw(Operation):
    """1 with probability p and else 0, with the gradient of p, while the module is trained; in evaluation its mean, p
    (stochastic neurons: Bengio, Leonard and Courville, arXiv 1308.3432)."""

    word = "bernoulli_draw"
    draws = True
    formula = "(p: real[]) -> (y: real[]) { return p }"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "bernoulli_draw(sigmoid(x))", "real[batch, d: 5]"),
        Sample("x: real[n, d: 3]", "x * bernoulli_draw(0.5 + 0 * x)", "real[n, d: 3]"),
        Sample("x: bool[batch, d: 5]", "bernoulli_draw(x)", code="E0330"),
        Sample("x: real[batch, d: 5]", "bernoulli_draw(x, 0.5)", code="E0203"),
    )

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (p,) = to.operands
        # the draw itself: what is added to it is 0 but for its gradient
        drawn = f"torch.bernoulli({p.text}.detach()) + ({p.text} - {p.text}.detach())"
        return (Lowered(f"{drawn} if self.training else {p.text}", p.axes),)
