"""What formulas gave in a first evaluation, so that those after it compute only what has moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archc.formula.tree import Apply, Formula, Read, walk
from archc.ops.registries import POINTWISE

if TYPE_CHECKING:
    from archc.readings.evaluate import Named
    from archc.types.tensor_type import TensorType

Key = tuple[Any, ...]


class Known:
    """The values of formulas in a first evaluation, for others of the same graph at the same sizes in the same mode.

    A formula is known by what it reads: entries at the same place in memory, which is kept, so that nothing else comes
    to lie there. One that stops gradients is left to `Held`.
    """

    def __init__(self) -> None:
        self._reads: dict[int, tuple[str, ...] | None] = {}
        self._values: dict[Key, tuple[Named, list[Named]]] = {}
        self._is_filled = False

    def begin(self) -> None:
        """Begin an evaluation: the first is to be kept."""
        self._is_filled = bool(self._values)

    def key(
        self, formula: Formula, type: TensorType, values: Mapping[str, Named], sizes: Mapping[str, int]
    ) -> Key | None:
        """What tells one evaluation of a formula, laid out as a type, from another; None where it is to be evaluated
        each time."""
        if id(formula) not in self._reads:
            self._reads[id(formula)] = _reads(formula)
        reads = self._reads[id(formula)]
        if reads is None or any(name not in values for name in reads):
            return None
        return (id(formula), id(type), *sizes.values(), *(_place(values[name]) for name in reads))

    def find(self, key: Key | None) -> Named | None:
        """The value under a key, where there is one."""
        found = self._values.get(key) if key is not None else None
        return None if found is None else found[0]

    def keep(self, key: Key | None, value: Named, formula: Formula, values: Mapping[str, Named]) -> None:
        """Note a value of the first evaluation, with what it was computed from."""
        if key is not None and not self._is_filled:
            self._values[key] = value, [values[name] for name in self._reads[id(formula)] or ()]


def _reads(formula: Formula) -> tuple[str, ...] | None:
    """The names of the values that a formula reads; None where it stops a gradient."""
    names: dict[str, None] = {}
    for part in walk(formula):
        if isinstance(part, Read):
            names[part.value] = None
        elif isinstance(part, Apply) and POINTWISE[part.function].stops:
            return None
    return tuple(names)


def _place(value: Named) -> tuple[Any, ...]:
    interface = value.array.__array_interface__
    return value.axes, interface["data"][0], interface["typestr"], value.array.shape, value.array.strides
