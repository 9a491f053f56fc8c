"""Sliding windows."""

from __future__ import annotations

from typing import ClassVar, final

from archc.ops.operation import NewAxis, OneAxis, Operation, Sample
from archc.types.size import Size


@final
class Window(Operation):
    """Windows of `size` consecutive positions of the axis `over`, one every `stride` positions; the new axis `axis`
    goes along a window, and `over` now counts them. What is left at the end, too short for a window, is dropped."""

    word = "window"
    formula = """(x: real[over]) -> (y: real[over: (size(over) - size) // stride + 1, axis: size])
        where size >= 1, stride >= 1, size <= size(over)
    {
        let y[over: (size(over) - size) // stride + 1, axis: size] = x[over: stride * over + axis]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, t: 7]", "window(x, over = t, axis = k, size = 5)", "real[batch, t: 3, k: 5]"),
        Sample("x: real[t: 8, c]", "x |> window(over = t, axis = k, size = 3, stride = 2)", "real[t: 3, c, k: 3]"),
        Sample("x: real[batch, t: 4]", "window(x, over = t, axis = k, size = 5)", code="E0321"),
        Sample("x: real[batch, t: 7]", "window(x, over = t, axis = batch, size = 5)", code="E0303"),
    )
    over: OneAxis
    axis: NewAxis
    size: Size
    stride: Size = Size.of(1)
