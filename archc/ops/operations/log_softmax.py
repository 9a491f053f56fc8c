"""Log-softmax: the logarithm of a distribution."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample


@final
class LogSoftmax(Operation):
    """x - log(sum(exp(x))) over the axes `over`, the logarithm of softmax without its loss of small probabilities."""

    word = "log_softmax"
    formula = """(x: real[over]) -> (y: real[over]) {
        let total = logsumexp over: x
        return x - total
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "log_softmax(x, over = d)", "real[batch, d: 5]"),
        Sample("x: real[n, batch]", "log_softmax(40 * x, over = n)", "real[n, batch]"),
        Sample("x: real[batch, h: 3, w: 4]", "log_softmax(x, over = (h, w))", "real[batch, h: 3, w: 4]"),
        Sample("x: real[batch, d: 5]", "log_softmax(x, over = e)", code="E0301"),
        Sample("x: real[batch, d: 5]", "log_softmax(x)", code="E0205"),
    )
    over: Axes

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        if len(self.over) != 1:
            return None
        (x,) = to.operands
        return (Lowered(f"{x.text}.log_softmax({to.dim(x, self.over[0].name)})", x.axes),)
