"""Names that are unique in a block."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archc.ir.attribute import attribute


class Names:
    """The names of a block that are taken: by values, and by attributes of its class."""

    def __init__(self) -> None:
        self.reserved: set[str] = {"training"}
        self._taken: set[str] = set(self.reserved)
        self._attributes: set[str] = set()
        self._count: dict[str, int] = {}
        self._attribute_count: dict[str, int] = {}

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names from being allocated: those of axes and sizes, which values must not take."""
        self.reserved.update(names := set(names))
        self._taken.update(names)

    def allocate(self, hint: str) -> str:
        """A name for a value, unique in the block."""
        name = _numbered(hint, self._count, lambda name: name in self._taken)
        self._taken.add(name)
        return name

    def attribute(self, hint: str) -> str:
        """A name for a module or a group of parameters, unique among the block's attributes."""
        name = _numbered(hint, self._attribute_count, lambda name: attribute(name) in self._attributes)
        self._attributes.add(attribute(name))
        return name

    def parameter(self, hint: str) -> str:
        """A name for a parameter, which is a value and an attribute."""
        name = _numbered(
            hint, self._attribute_count, lambda name: attribute(name) in self._attributes or name in self._taken
        )
        self._attributes.add(attribute(name))
        self._taken.add(name)
        return name


def _numbered(hint: str, counts: dict[str, int], is_taken: Callable[[str], bool]) -> str:
    """The hint, with the first number that makes it free; numbers once passed are not tried again."""
    name = hint
    while is_taken(name):
        counts[hint] = counts.get(hint, 1) + 1
        name = f"{hint}_{counts[hint]}"
    return name
