"""Operands matched to the ports of a signature: axes by name, sizes equated, everything else lifted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archc.base.diagnostic import Fault, Note
from archc.elaborate import faults
from archc.elaborate.arguments import Operand
from archc.elaborate.binding import (
    AxisList,
    BoundAxis,
    Definition,
    Extent,
)
from archc.elaborate.constraint import PROJECT, Mismatch, worded
from archc.elaborate.extent import (
    SECOND_AXIS,
    counted,
    expand,
    kind_of,
    positive,
    size_of,
    unknown_axis,
    written_size,
)
from archc.elaborate.frame import Frame
from archc.elaborate.scope import Scope
from archc.syntax import tree
from archc.types.size import Size
from archc.types.tensor_type import Axis, Kind, TensorType


@dataclass
class Matched:
    """Operands matched to ports: each port's type inside the block, and the sizes that must agree at the call."""

    types: list[TensorType] = field(default_factory=list)
    sizes: dict[str, Size] = field(default_factory=dict)
    lifted: dict[str, Size] = field(default_factory=dict)
    equal: list[tuple[str, Size, Size, Operand]] = field(default_factory=list)


Entry = tuple[tree.AxisType, str, Scope]


def match_ports(
    definition: Definition, operands: Sequence[Operand], scope: Scope, inside: Callable[[str, Size], Size]
) -> Matched:
    """Match operands to ports by axis names; axes that a port does not have are lifted.

    `inside` gives the size that an axis has inside the block, from the size it has at the call. Binds the axes of the
    signature in `scope`. Raises Fault E0203, E0301, E0330.
    """
    ports = definition.tree.inputs
    if len(operands) != len(ports):
        span = operands[0].span if operands else definition.tree.head
        expected = counted(len(ports), "operand")
        help = "an edge or a neuron is a block of one input; give the others as hyper-parameters"
        name = definition.tree.name
        raise Fault(faults.WrongArity(span, callee=name, expected=expected, given=len(operands), help=help))
    matched = Matched()
    entries = [_entries(port, scope) for port in ports]
    for port, own, operand in zip(ports, entries, operands, strict=True):
        _bind_axes(definition, port, own, operand, scope, inside, matched)
    for port, own, operand in zip(ports, entries, operands, strict=True):
        axes = _declared(own, operand, scope, matched)
        lifted = []
        for axis in operand.term.axes:
            if axis.name not in axes:
                if axis.name not in matched.lifted:
                    matched.lifted[axis.name] = inside(axis.name, axis.size)
                matched.equal.append((axis.name, matched.lifted[axis.name], axis.size, operand))
                lifted.append(Axis(axis.name, matched.lifted[axis.name], axis.twin))
        kind = _port_kind(port, operand, scope, matched)
        matched.types.append(TensorType(kind, (*lifted, *axes.values())))
    return matched


def _entries(port: tree.Port, scope: Scope) -> list[Entry]:
    """The axes of a port: each with the text that names it, and the scope in which its size is read."""
    return [(entry, name, inner) for entry in _axis_types(port) for name, inner in expand(entry.name, scope)]


def _bind_axes(
    definition: Definition,
    port: tree.Port,
    own: list[Entry],
    operand: Operand,
    scope: Scope,
    inside: Callable[[str, Size], Size],
    matched: Matched,
) -> None:
    """Bind the axes that a port names without a size (or with a new name for it) to what the operand has."""
    for entry, name, inner in own:
        actual = operand.term.size(name)
        if actual is None:
            what = f"the operand `{port.name}` of `{definition.tree.name}`"
            fault = unknown_axis(tree.Name(span=entry.span, parts=(name,)), operand.term.names, what)
            fault.span, fault.notes = operand.span, (Note(entry.span, "asked for here"),)
            raise scope.frame.lacking(fault, name, [operand.term])
        if written_size(entry) is None and name not in matched.sizes and _listed_size(entry, name, scope) is None:
            matched.sizes[name] = inside(name, actual)
            scope.names[name] = BoundAxis(Axis(name, matched.sizes[name], entry.twin))
        if isinstance(entry.size, tree.Name) and inner.find(entry.size.text) is None:
            scope.names[entry.size.text] = Extent(inside(entry.size.text, actual))


def _declared(own: list[Entry], operand: Operand, scope: Scope, matched: Matched) -> dict[str, Axis]:
    """A port's axes with their sizes inside the block; those of the operand must agree."""
    axes: dict[str, Axis] = {}
    for entry, name, inner in own:
        if name in axes:
            raise Fault(faults.DuplicateAxis(entry.span, axis=name, help=SECOND_AXIS))
        written = written_size(entry)
        if written is None:
            size = _listed_size(entry, name, scope) or matched.sizes[name]
        else:
            size = positive(size_of(written, inner), written.span, {})
        axes[name] = Axis(name, size, entry.twin)
        matched.equal.append((name, size, operand.term.size(name) or size, operand))
        if scope.names_axes(entry.name.parts[-1]) is None:
            scope.names.setdefault(name, BoundAxis(axes[name]))
    return axes


def port_axes(definition: Definition, scope: Scope) -> set[str]:
    """Names of the axes that the input ports speak of."""
    return {
        name for port in definition.tree.inputs for entry in _axis_types(port) for name, _ in expand(entry.name, scope)
    }


def _axis_types(port: tree.Port) -> tuple[tree.AxisType, ...]:
    assert isinstance(port.type, tree.Type)  # tuples are flat by now
    return port.type.axes


def _listed_size(entry: tree.AxisType, name: str, scope: Scope) -> Size | None:
    """The size of an axis that a hyper-parameter brings: the J and the I of `d -> d: 64` are two sizes of one name."""
    found = scope.names_axes(entry.name.parts[-1])
    if isinstance(found, AxisList):
        return next((axis.size for axis in found.axes if axis.name == name), None)
    return None if found is None else found.axis.size


def _port_kind(port: tree.Port, operand: Operand, scope: Scope, matched: Matched) -> Kind:
    """The kind a port declares, checked against what it is given."""
    assert isinstance(port.type, tree.Type)
    kind, given = kind_of(port.type, scope), operand.term.kind
    fits = {
        "real": given.word != "bool" and given.word != "complex",
        "int": given.is_integer,
        "index": given.word == "index",
        "point": given.is_real,
        "simplex": (given.word, given.axis) == ("simplex", kind.axis),
    }.get(kind.word, kind.word == given.word)
    if not fits:
        note = Note(port.span, "declared here")
        raise Fault(
            faults.KindMismatch(
                operand.span,
                what=f"port `{port.name}`",
                expected=kind,
                given=given,
                notes=[note],
                help=f"declare what is given as `{kind}`, or the port as `{given}`",
            )
        )
    if kind.word == "index" and kind.size is not None and given.size is not None:
        matched.equal.append((kind.axis or port.name, kind.size, given.size, operand))
    return kind


def settle(matched: Matched, frame: Frame, sizes: dict[str, Size]) -> None:
    """Equate the sizes of the ports with those of the operands, in the caller's frame."""
    first: dict[str, tuple[Size, Operand]] = {}
    for axis, inside, actual, operand in matched.equal:
        size, other = first.setdefault(axis, (actual, operand))
        notes = () if other is operand else (Note(other.span, f"{worded(frame.resolve(size))} here"),)
        frame.equate(actual, inside.substitute(sizes), Mismatch(axis, operand.span, notes, PROJECT))
