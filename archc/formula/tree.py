"""The index formula, the one place where a computation is written down.

A formula denotes a number for every assignment of positions to its free axes. It reads values by index expressions
(themselves integer formulas: affine, modulo, or read from a pointer), applies pointwise functions, and reduces over
axes, optionally only where a condition holds. Bound axes (of reductions) have names distinct from each other and from
the free axes of the node that holds the formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from archc.types.size import Size
from archc.types.tensor_type import Axis


@dataclass(frozen=True)
class Formula:
    """Base of all formulas."""

    @property
    def children(self) -> tuple[Formula, ...]:
        """Direct subformulas, index expressions included."""
        return ()

    @cached_property
    def free(self) -> frozenset[str]:
        """Names of the axes whose position the number depends on."""
        return frozenset().union(*(child.free for child in self.children))

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Identifiers of the values read, each once, in order of appearance."""
        return tuple(dict.fromkeys(name for child in self.children for name in child.reads))

    @cached_property
    def depth(self) -> int:
        """How many formulas stand in one another."""
        return 1 + max((child.depth for child in self.children), default=0)

    def rebuild(self, change: Callable[[Formula], Formula]) -> Formula:
        """This formula with `change` applied to each direct child."""
        return self


@dataclass(frozen=True)
class Literal(Formula):
    """A number: int, float or bool."""

    value: int | float | bool


@dataclass(frozen=True)
class SizeValue(Formula):
    """A size as an integer scalar."""

    size: Size


@dataclass(frozen=True)
class Training(Formula):
    """Whether the module trains, a truth value."""


@dataclass(frozen=True)
class Position(Formula):
    """The position (0-based) on an axis in scope."""

    axis: str

    @cached_property
    def free(self) -> frozenset[str]:
        return frozenset((self.axis,))


@dataclass(frozen=True)
class Read(Formula):
    """The entry of a value at one integer formula per axis of its type, in the order of its type.

    `Position(a)` as index is a plain reading along axis a. Where `outside` is given, an index beyond the axis reads it
    instead; without it, the index was proved inside (or is a pointer of kind `index`).
    """

    value: str
    indices: tuple[Formula, ...]
    outside: Formula | None = None

    @property
    def children(self) -> tuple[Formula, ...]:
        return self.indices if self.outside is None else (*self.indices, self.outside)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        inner = (name for child in self.children for name in child.reads)
        return tuple(dict.fromkeys((self.value, *inner)))

    def rebuild(self, change: Callable[[Formula], Formula]) -> Formula:
        outside = None if self.outside is None else change(self.outside)
        return replace(self, indices=tuple(map(change, self.indices)), outside=outside)


@dataclass(frozen=True)
class Apply(Formula):
    """A pointwise function of the registry `archc.ops.pointwise`, by its word, with its attributes.

    `add`, `mul`, `and`, `or`, `maximum`, `minimum` take any number of operands; `sub`, `div`, `pow`, `floordiv`, `mod`,
    comparisons (`eq ne lt le gt ge`) two; `neg`, `not` and the elementwise functions one; `where` three.
    """

    function: str
    operands: tuple[Formula, ...]
    attributes: tuple[tuple[str, int | float], ...] = ()

    @property
    def children(self) -> tuple[Formula, ...]:
        return self.operands

    def rebuild(self, change: Callable[[Formula], Formula]) -> Formula:
        return replace(self, operands=tuple(map(change, self.operands)))


@dataclass(frozen=True)
class Reduce(Formula):
    """`kind axes where condition: body`, a reduction of the registry `archc.ops.reductions` over bound axes."""

    kind: str
    axes: tuple[Axis, ...]
    body: Formula
    condition: Formula | None = None

    @property
    def children(self) -> tuple[Formula, ...]:
        return (self.body,) if self.condition is None else (self.body, self.condition)

    @cached_property
    def free(self) -> frozenset[str]:
        inner = frozenset().union(*(child.free for child in self.children))
        return inner - {axis.name for axis in self.axes}

    def rebuild(self, change: Callable[[Formula], Formula]) -> Formula:
        condition = None if self.condition is None else change(self.condition)
        return replace(self, body=change(self.body), condition=condition)


def walk(formula: Formula) -> Iterator[Formula]:
    """Every subformula, the formula itself first, depth first, left to right."""
    stack = [formula]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def numbers(formula: Formula) -> Iterator[Formula]:
    """The numbers that a formula computes with: neither what it compares nor where it reads."""
    stack = [formula]
    while stack:
        current = stack.pop()
        if isinstance(current, Reduce):
            stack.append(current.body)
        elif isinstance(current, Apply):
            stack.extend(current.operands[1:] if current.function == "where" else current.operands)
        else:
            yield current
