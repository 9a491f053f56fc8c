"""What one file of this package states: a check, with the diagnostics that it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from archc.base.diagnostic import Diagnostic
from archc.ir.graph import TypedGraph


class Check(BaseModel, ABC):
    """A fault to look for, by `word`; its docstring says what is wrong with it. Fields are its options.

    A check speaks only of what is certain: a false alarm costs more than silence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    word: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ("word", "__doc__")

    @abstractmethod
    def find(self, graph: TypedGraph) -> Iterator[Diagnostic]:
        """Every place of the fault in a net, or in a block on its own, and in the blocks that it uses."""
