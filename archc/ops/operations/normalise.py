"""Normalisation over axes, with or without a gain and a bias."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from archc.ops.expression import number
from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample


@final
class Normalise(Operation):
    """`layer`: x less its mean, divided by sqrt(variance + eps), over the axes `over` (Ba et al., arXiv 1607.06450).
    `rms`: x divided by sqrt(mean of x^2 + eps) (Zhang and Sennrich, arXiv 1910.07467).

    A second operand is a gain, a third a bias, both over the same axes: the blocks `norm` and `rms_norm` learn them.
    """

    word = "normalise"
    variadic = True
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 5]", "normalise(x, over = d)", "real[batch, d: 5]"),
        Sample("x: real[batch, h: 3, w: 4, c: 2]", "x |> normalise(over = (h, w))", "real[batch, h: 3, w: 4, c: 2]"),
        Sample("x: real[batch, d: 5]", "normalise(x, over = d, kind = rms, eps = 0.01)", "real[batch, d: 5]"),
        Sample("x: real[d, batch], g: real[d]", "normalise(x, g, over = d, kind = rms)", "real[d, batch]"),
        Sample("x: real[h, c, w], g: real[w, h], b: real[h, w]", "normalise(x, g, b, over = (h, w))", "real[h, c, w]"),
        Sample("x: real[batch, d: 5]", "normalise(x, over = d, kind = batch)", code="E0208"),
        Sample("x: real[batch, d: 5], g: real[d: 4]", "normalise(x, g, over = d)", code="E0312"),
    )
    over: Axes
    kind: Literal["layer", "rms"] = "layer"
    eps: float = 1e-5

    def meaning(self, arity: int) -> str:
        extra = ["gain", "bias"][: arity - 1]
        ports = ", ".join(f"{port}: real[over]" for port in ("x", *extra))
        centred = "x - (mean over: x)" if self.kind == "layer" else "x"
        scaled = "gain * normal" if "gain" in extra else "normal"
        return f"""({ports}) -> (y: real[over]) {{
            let centred = {centred}
            let normal = centred / sqrt((mean over: square(centred)) + eps)
            return {" + ".join([scaled, *extra[1:]])}
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        over = [axis.name for axis in self.over]
        if any(set(extra.axes) != set(over) for extra in to.operands[1:]):
            return None  # a gain that varies along other axes too
        x = to.last(to.operands[0], over)
        shape = ", ".join(to.size(axis.size) for axis in self.over)
        arguments = [x.text, f"({shape},)" if len(over) == 1 else f"({shape})"]
        arguments += [to.arrange(extra, over).text for extra in to.operands[1:]]
        if self.kind == "layer":
            return (Lowered(f"F.layer_norm({', '.join(arguments)}, eps={number(self.eps)})", x.axes),)
        if len(arguments) > 3:
            return None
        return (Lowered(f"F.rms_norm({', '.join(arguments)}, eps={number(self.eps)})", x.axes),)
