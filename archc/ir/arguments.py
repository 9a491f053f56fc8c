"""The attributes of an operation as the arguments of a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from archc.ir.express import NOWHERE, name, number, size_expr
from archc.syntax import tree
from archc.types.size import Size
from archc.types.tensor_type import Axis

if TYPE_CHECKING:
    from archc.ops.operation import Operation


def attributes(operation: Operation) -> Iterator[tree.Argument]:
    """The arguments that give an operation its attributes: an arrow for `source` and `target`, the others by name."""
    values = {one.name: getattr(operation, one.name) for one in operation.attributes()}
    if "source" in values and "target" in values:
        arrow = tree.Arrow(span=NOWHERE, source=_axes(values.pop("source")), target=_axes(values.pop("target")))
        yield tree.Argument(span=NOWHERE, name=None, value=arrow)
    for word, value in values.items():
        if value is not None:
            yield tree.Argument(span=NOWHERE, name=word, value=_value(value))


def _axes(axes: Iterable[Any]) -> tuple[tree.AxisSize, ...]:
    """Axes of an arrow or a list: those that the operands have by name only, new ones with the size they are given."""
    return tuple(tree.AxisSize(span=NOWHERE, name=name(axis.name), size=_new_size(axis)) for axis in axes)


def _new_size(axis: Any) -> tree.Expr | None:
    return None if isinstance(axis, Axis) or axis.size is None else size_expr(axis.size)


def _axis_list(axes: tuple[Any, ...]) -> tree.Expr:
    if len(axes) == 1 and _new_size(axes[0]) is None:
        return name(axes[0].name)
    items = tuple(axis if axis.size is not None else axis.name for axis in _axes(axes))
    return tree.Group(span=NOWHERE, items=items)


def _value(value: Any) -> tree.Expr:
    match value:
        case bool():
            return tree.Truth(span=NOWHERE, value=value)
        case int() | float():
            return number(value)
        case Size():
            return size_expr(value)
        case str():
            return name(value)
        case tuple():
            return _axis_list(value)
    raise TypeError(f"an attribute {value!r} has no text")
