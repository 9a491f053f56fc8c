"""Cosines and sines."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, final

from pydantic import Field

from archc.ops.operation import Fresh, Lowered, Lowering, NewAxis, Operation, Sample
from archc.types.size import Size
from archc.types.tensor_type import Axis


@final
class FourierBasis(Operation):
    """cos(x), ..., cos(n x), then sin(x), ..., sin(n x) along the new axis `axis`, for n = `frequencies`.

    The module takes one cosine and one sine and adds angles: what is known up to k x, turned by k x, is known up to
    2 k x, so that errors grow with the number of doublings only.
    """

    word = "fourier_basis"
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d]", "fourier_basis(x, axis = m)", "real[batch, d, m: 10]"),
        Sample("x: real[batch]", "fourier_basis(9 * x, axis = k, frequencies = 8)", "real[batch, k: 16]"),
        Sample("x: real[batch]", "fourier_basis(x, frequencies = 1)", "real[batch, m: 2]"),
        Sample("x: real[batch, m]", "fourier_basis(x, axis = m)", code="E0303"),
        Sample("x: real[batch]", "fourier_basis(x, frequencies = 0)", code="E0204"),
    )
    axis: NewAxis = (Fresh("m"),)
    frequencies: Annotated[int, Field(ge=1, le=4096)] = 5

    def meaning(self, arity: int) -> str:
        n = self.frequencies
        return f"""(x: real[]) -> (y: real[axis: {2 * n}]) {{
            let y[axis: {2 * n}] = where(axis < {n}, cos((axis + 1) * x), sin((axis - {n - 1}) * x))
            return y
        }}"""

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        axis = self.axis[0].name
        axes = (*x.axes, axis)

        def named(word: str, text: str, count: int) -> str:
            return to.name(word, text, axes, replace(x.type, axes=(*x.type.axes, Axis(axis, Size.of(count))))).text

        cos, sin = (named(word, f"torch.{word}({x.text}).unsqueeze(-1)", 1) for word in ("cos", "sin"))
        known = 1
        while known < self.frequencies:
            more = min(known, self.frequencies - known)
            c, s = (f"{one}[..., -1:]" for one in (cos, sin))
            low, high = (one if more == known else f"{one}[..., :{more}]" for one in (cos, sin))
            known += more
            turned = f"{low} * {c} - {high} * {s}", f"{high} * {c} + {low} * {s}"
            cos, sin = (
                named(word, f"torch.cat(({one}, {new}), -1)", known)
                for word, one, new in zip(("cos", "sin"), (cos, sin), turned, strict=True)
            )
        return (Lowered(f"torch.cat(({cos}, {sin}), -1)", axes),)
