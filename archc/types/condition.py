"""Comparisons of sizes."""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from archc.types.polynomial import Size

COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": compare.eq,
    "!=": compare.ne,
    "<": compare.lt,
    "<=": compare.le,
    ">": compare.gt,
    ">=": compare.ge,
}
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class Condition:
    """`left operator right`, with one of the operators == != < <= > >=."""

    operator: str
    left: Size
    right: Size

    def __post_init__(self) -> None:
        if self.operator not in COMPARE:
            raise ValueError(f"{self.operator!r} does not compare sizes")

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The names of the symbols on both sides."""
        return self.left.symbols | self.right.symbols

    @cached_property
    def negated(self) -> Condition:
        """The condition that holds exactly where this one does not."""
        return Condition(OPPOSITE[self.operator], self.left, self.right)

    @cached_property
    def gaps(self) -> tuple[Size, ...]:
        """The sizes that are at least zero exactly where this condition holds; none for !=."""
        up, down = self.left - self.right, self.right - self.left
        return {"==": (up, down), ">=": (up,), "<=": (down,), ">": (up - 1,), "<": (down - 1,), "!=": ()}[self.operator]

    def substitute(self, mapping: Mapping[str, Size | int]) -> Condition:
        """This condition with symbols replaced."""
        if self.symbols.isdisjoint(mapping):
            return self
        return Condition(self.operator, self.left.substitute(mapping), self.right.substitute(mapping))

    def evaluate(self, mapping: Mapping[str, int]) -> bool:
        """Whether the condition holds for these symbols; raises SizeError where a side has no value."""
        return COMPARE[self.operator](self.left.evaluate(mapping), self.right.evaluate(mapping))

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"
