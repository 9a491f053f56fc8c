"""Given numbers."""

from __future__ import annotations

from typing import final

from archc.ops.expression import number
from archc.ops.operation import Initialiser

MOST = 16


@final
class Entries(Initialiser):
    """`entries(a, b, ...)`: these numbers along the last axis, 0 after them, the same for every position of the other
    axes. A tensor whose last axis is shorter cannot be started so."""

    word = "entries"
    arguments = tuple(f"entry {at}" for at in range(1, MOST + 1))
    least = 1

    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        del fan_in, fan_out
        given = f"torch.tensor([{', '.join(map(number, arguments))}])"
        return f"nn.init.zeros_({tensor}).data[..., :{len(arguments)}].copy_({given})"
