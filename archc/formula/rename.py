"""Renaming and replacing inside formulas without capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archc.formula.tree import Formula, Position, Read, Reduce
from archc.types.tensor_type import Axis


def distinct(formula: Formula, free: frozenset[str]) -> Formula:
    """The same formula with every bound axis named apart from the others and from the names in `free`."""
    taken = set(free) | formula.free

    def visit(current: Formula, names: Mapping[str, str]) -> Formula:
        if isinstance(current, Position):
            name = names.get(current.axis, current.axis)
            return current if name == current.axis else Position(name)
        if not isinstance(current, Reduce):
            return current.rebuild(lambda child: visit(child, names))
        axes, inner = [], dict(names)
        for axis in current.axes:
            name, number = axis.name, 2
            while name in taken:
                name, number = f"{axis.name}_{number}", number + 1
            taken.add(name)
            inner[axis.name] = name
            axes.append(Axis(name, axis.size, axis.twin))
        renamed = replace(current, axes=tuple(axes))
        return renamed.rebuild(lambda child: visit(child, inner))

    return visit(formula, {})


def along(formula: Formula, indices: Mapping[str, Formula]) -> Formula:
    """The formula read at other positions of its free axes. The bound axes must be apart from those of `indices`."""
    if isinstance(formula, Position):
        return indices.get(formula.axis, formula)
    if isinstance(formula, Reduce):
        bound = {axis.name for axis in formula.axes}
        indices = {name: index for name, index in indices.items() if name not in bound}
    return formula.rebuild(lambda child: along(child, indices))


def inline(formula: Formula, values: Mapping[str, tuple[tuple[str, ...], Formula]]) -> Formula:
    """The formula with reads of some values replaced by what they are: their axes' names and a formula over those.

    The caller makes bound names distinct again afterwards.
    """
    formula = formula.rebuild(lambda child: inline(child, values))
    if isinstance(formula, Read) and formula.value in values and formula.outside is None:
        names, meaning = values[formula.value]
        apart = distinct(meaning, frozenset().union(*(index.free for index in formula.indices)))
        return along(apart, dict(zip(names, formula.indices, strict=True)))
    return formula


def numbered(formula: Formula) -> Formula:
    """The formula with its bound axes called by number: the same for formulas that differ in those names only."""

    def visit(current: Formula, names: Mapping[str, str]) -> Formula:
        if isinstance(current, Position):
            return Position(names[current.axis]) if current.axis in names else current
        if not isinstance(current, Reduce):
            return current.rebuild(lambda child: visit(child, names))
        inner = {**names, **{axis.name: f"{len(names) + at}" for at, axis in enumerate(current.axes)}}
        axes = tuple(Axis(inner[axis.name], axis.size, axis.twin) for axis in current.axes)
        return replace(current, axes=axes).rebuild(lambda child: visit(child, inner))

    return visit(formula, {})
