"""All one."""

from __future__ import annotations

from typing import final

from archc.ops.operation import Initialiser


@final
class One(Initialiser):
    """1 everywhere."""

    word = "one"

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del arguments, fan_in, fan_out
        return f"nn.init.ones_({tensor})"
