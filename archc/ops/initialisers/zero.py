"""All zero."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Initialiser


@final
class Zero(Initialiser):
    """0 everywhere."""

    word = "zero"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del arguments, fan_in, fan_out
        return f"nn.init.zeros_({tensor})"
