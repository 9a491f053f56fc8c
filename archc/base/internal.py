"""A fault of the compiler itself, never of a spec."""

from __future__ import annotations

from collections.abc import Iterable


class InternalError(Exception):
    """What the compiler made breaks its own rules; `faults` says how, one line each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))
