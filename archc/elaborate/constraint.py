"""What a constraint on sizes came from, and what to say where it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archc.base.diagnostic import Diagnostic, Note
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import Definition
from archc.types.size import Condition, Size, SizeError
from archc.types.solve import OPEN
from archc.types.tensor_type import TensorType

PROJECT = "give both one size; a layer changes it, as in `layer({axis} -> {axis}: {right})`"
DECLARE = "declare `{axis}: {left}`, or make the value with `{axis}: {right}`"
_LONGEST = 30
_REACH = 100
"""How many numbers near one that does not fit are tried."""


def is_open(size: Size) -> bool:
    """Whether a size has a part that is still to be solved."""
    return any(symbol.startswith(OPEN) for symbol in size.symbols)


def worded(size: Size) -> str:
    """A size for a message."""
    return "still unknown" if is_open(size) else str(size)


def plainer(condition: Condition) -> Condition:
    """`d == 4 * (d // 4)` as `d % 4 == 0`, which says the same."""
    gap = condition.left - condition.right
    for atom in gap.atoms if condition.operator == "==" else ():
        if atom.kind == "//":
            whole, part = atom.arguments
            rest = whole - part * (whole // part)
            if gap in (rest, -rest):
                return Condition("==", whole % part, Size.of(0))
    return condition


def shown(type: TensorType) -> str:
    """A type for a message."""
    axes = (f"{axis.name}: {worded(axis.size)}" if is_open(axis.size) else str(axis) for axis in type.axes)
    return f"`{type.kind}[{', '.join(axes)}]`"


@dataclass(frozen=True)
class Mismatch:
    """Two sizes of one axis that must be equal: where, and where the other comes from."""

    axis: str
    span: Span
    notes: tuple[Note, ...] = ()
    help: str = ""
    """What to write where they differ, a format string over `axis`, `left` and `right`."""

    def fault(self, left: Size, right: Size, *, refuted: bool) -> Diagnostic:
        """What to say where the sizes, as far as they are known, differ or are not provably equal."""
        sizes = {"axis": self.axis, "left": worded(left), "right": worded(right)}
        if refuted:
            help = "" if is_open(left) or is_open(right) else self.help.format(**sizes)
            return faults.SizeMismatch(self.span, notes=self.notes, help=help, **sizes)
        help = f"write one size in both places, or add `where {left} == {right}` to the signature"
        help = "" if is_open(left) or is_open(right) else help
        return faults.UnprovedSize(self.span, notes=self.notes, help=help, **sizes)


@dataclass(frozen=True)
class Demand:
    """A side condition and who asks for it: as it was `asked` there, and what its names are here."""

    callee: str
    span: Span
    index_axis: str | None = None
    asked: str = ""
    given: tuple[tuple[str, Size], ...] = ()
    holds: Callable[[Mapping[str, int]], bool] | None = None
    """Whether it would hold if its names were these numbers."""

    def bounds(self, condition: Condition) -> Diagnostic:
        """What to say of an index that may leave its axis."""
        text = self.span.source.text[self.span.start : self.span.end]
        text = text if len(text) <= _LONGEST and "\n" not in text else "..."
        wrapped = text if text.isalnum() else f"({text})"
        axis = self.index_axis
        label = f"it goes down to {worded(condition.left)}, the first position is 0"
        if condition.operator == "<=":
            label = f"it reaches {worded(condition.left)}, the last position is {worded(condition.right)}"
        outside, around = f"`[{axis}: {text} else 0]`", f"`[{axis}: {wrapped} % size({axis})]`"
        help = f"say what stands outside, as in {outside}, or wrap around, as in {around}"
        return faults.IndexOutside(self.span, axis=axis, label=label, help=help)

    def refuted(self, condition: Condition, values: Mapping[str, int]) -> Diagnostic:
        """What to say of a condition that is false: in the caller's symbols, or else in the callee's."""
        used = {name: str(values[name]) for name in sorted(condition.symbols) if name in values}
        used = used or {name: worded(size) for name, size in self.given}
        numbers = "".join(f"{', ' if at else ': '}{name} = {size}" for at, (name, size) in enumerate(used.items()))
        shown = self.asked if self.asked and not condition.symbols else str(condition)
        help = self._others(condition, values)
        return faults.RefutedCondition(
            self.span, callee=self.callee, condition=f"`{shown}`", numbers=numbers, help=help
        )

    def _others(self, condition: Condition, values: Mapping[str, int]) -> str:
        """The nearest numbers with which a condition would hold, each with the others as they are."""
        known = {name: size.constant for name, size in self.given if size.constant is not None}
        holds = self.holds if len(known) == len(self.given) else None
        if condition.symbols and condition.symbols <= set(values):
            known = {name: values[name] for name in sorted(condition.symbols)}
            holds = condition.evaluate
        if holds is None:
            return ""
        found = []
        for name, own in known.items():
            near = (number for step in range(1, _REACH) for number in (own + step, own - step) if number > 0)
            number = next((one for one in near if _is_true(holds, {**known, name: one})), None)
            found += [] if number is None else [f"`{name} = {number}`"]
        return f"it holds with {' or '.join(found)}" if found else ""

    def unproved(self, condition: Condition, definition: Definition) -> Diagnostic:
        """What to say of a condition that does not follow from the signature of a definition."""
        condition = plainer(condition)
        left, right = worded(condition.left), worded(condition.right)
        notes = (Note(definition.tree.head, f"the signature of this {definition.tree.role}"),)
        if is_open(condition.left) or is_open(condition.right):
            shown, help = self.asked or f"{left} {condition.operator} {right}", ""
        else:
            shown, help = str(condition), f"add `where {condition}` to the signature"
        return faults.UnprovedCondition(self.span, callee=self.callee, condition=f"`{shown}`", help=help, notes=notes)


def _is_true(holds: Callable[[Mapping[str, int]], bool], numbers: Mapping[str, int]) -> bool:
    try:
        return holds(numbers)
    except SizeError:  # a division by zero, or a size below zero
        return False
