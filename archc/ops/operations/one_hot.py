"""Positions as vectors."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import NewAxis, Operation, Sample


@final
class OneHot(Operation):
    """1 at the position that a pointer gives and 0 elsewhere, along the new axis `axis`, which is as long as the one
    that is pointed into."""

    word = "one_hot"
    formula = """(i: index(axis)[]) -> (y: real[axis]) {
        let y[axis] = where(axis == i, 1, 0)
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("i: index(5)[batch]", "one_hot(i, axis = c)", "real[batch, c: 5]"),
        Sample("i: index(n)[batch, m], x: real[n]", "2 * one_hot(i, axis = n)", "real[batch, m, n]"),
        Sample("x: real[batch, d: 4]", "one_hot(argmax(x, over = d), axis = d)", "real[batch, d: 4]"),
        Sample("i: int[batch]", "one_hot(i, axis = c)", code="E0330"),
        Sample("i: index(5)[batch]", "one_hot(i, axis = c)", "real[batch, c: 4]", code="E0312"),
    )
    axis: NewAxis
