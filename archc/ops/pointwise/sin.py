"""The sine."""

from __future__ import annotations

from typing import final

from archc.ops.arithmetic import np
from archc.ops.operation import ODD, Array, Pointwise


@final
class Sin(Pointwise):
    """sin(x), x in radians; the activation of SIREN (Sitzmann et al., arXiv 2006.09661)."""

    word = "sin"
    factors = ODD
    scalar = "math.sin"
    slopes = ("cos(x)",)

    def value(self, x: Array) -> Array:
        return np.sin(x)

    def torch(self, x: str) -> str:
        return f"torch.sin({x})"
