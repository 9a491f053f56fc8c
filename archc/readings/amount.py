"""Counts of things, as formulas in size symbols and as numbers of any magnitude."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

from archc.types.size import Size, SizeOverflow


@dataclass(frozen=True)
class Amount:
    """A sum of products of sizes, each with a whole factor; none at all is zero.

    Unlike a size it has no bound, so that the operations of a whole net can be counted; `formula` is the same count as
    a size, where that can be held.
    """

    terms: Mapping[tuple[Size, ...], int] = field(default_factory=dict)

    @staticmethod
    def of(sizes: Iterable[Size] = (), factor: int = 1) -> Amount:
        """`factor` times the product of the sizes."""
        kept: list[Size] = []
        for size in sizes:
            if size.constant is None:
                kept.append(size)
            else:
                factor *= size.constant
        return Amount({tuple(sorted(kept, key=str)): factor}) if factor else Amount()

    @staticmethod
    def total(amounts: Iterable[Amount]) -> Amount:
        """The sum of all."""
        terms: dict[tuple[Size, ...], int] = {}
        for amount in amounts:
            for sizes, factor in amount.terms.items():
                terms[sizes] = terms.get(sizes, 0) + factor
        return Amount({sizes: factor for sizes, factor in terms.items() if factor})

    def __add__(self, other: Amount) -> Amount:
        return Amount.total((self, other))

    def times(self, size: Size | int) -> Amount:
        """So many of these."""
        by = Size.of(size) if isinstance(size, int) else size
        return Amount.total(Amount.of((*sizes, by), factor) for sizes, factor in self.terms.items())

    def substitute(self, sizes: Mapping[str, Size]) -> Amount:
        """The same count with size symbols replaced."""
        return Amount.total(
            Amount.of((part.substitute(sizes) for part in parts), factor) for parts, factor in self.terms.items()
        )

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The number at these values of the symbols; raises SizeError when one is missing."""
        return sum(factor * prod(part.evaluate(sizes) for part in parts) for parts, factor in self.terms.items())

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols it depends on."""
        return frozenset().union(*(part.symbols for parts in self.terms for part in parts))

    @property
    def formula(self) -> Size | None:
        """The count in normal form, None where it exceeds what a size may hold."""
        try:
            result = Size.of(0)
            for parts, factor in self.terms.items():
                term = Size.of(factor)
                for part in parts:
                    term = term * part
                result = result + term
        except SizeOverflow:
            return None
        return result

    def __str__(self) -> str:
        formula = self.formula
        if formula is not None:
            return str(formula)
        products = ("*".join((str(factor), *(f"({part})" for part in parts))) for parts, factor in self.terms.items())
        return " + ".join(products)


NOTHING = Amount()
