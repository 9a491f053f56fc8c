"""Blanking out entries."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import Operation, Sample


@final
class Mask(Operation):
    """x where `keep` holds, `fill` elsewhere. `mask(score, m <= n, fill = -1e9)` before a softmax is a causal mask."""

    word = "mask"
    formula = """(x: real[], keep: bool[]) -> (y: real[]) {
        return where(keep, x, fill)
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[n, batch, m], keep: bool[m, n]", "mask(x, keep)", "real[n, batch, m]"),
        Sample("x: real[batch, d: 5]", "x |> mask(x > 0, fill = 0.25)", "real[batch, d: 5]"),
        Sample("x: real[batch, d: 5]", "mask(x, x)", code="E0330"),
        Sample("x: real[batch, d: 5]", "mask(x, e <= 2)", code="E0201"),
    )
    fill: float = 0.0
