"""`grad(E, x)`: the derivative of a block by what it is given, as a value.

The block is elaborated in place and its formulas and loops are derived, so that whatever holds of these holds of the
gradient: it has a type, a reference and a cost, and a gradient of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from archc.base.diagnostic import Fault
from archc.derive.adjoint import Naming
from archc.derive.region import OpaqueError
from archc.derive.reverse import gradients
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, Operand
from archc.elaborate.binding import Binding, Partial, together
from archc.elaborate.body import count_of
from archc.elaborate.constraint import Mismatch
from archc.elaborate.evaluate import term
from archc.elaborate.extent import listed
from archc.elaborate.frame import Frame, Freeze
from archc.elaborate.instance import inline_block
from archc.elaborate.scope import Scope
from archc.elaborate.settle import settled
from archc.elaborate.words import VALUE_AND_GRAD
from archc.formula.algebra import ONE
from archc.formula.rename import distinct
from archc.formula.tree import Formula, Read
from archc.ir.node import Compute, Loop, Region, Repeat, Value
from archc.ir.rewrite import renamed, with_names
from archc.syntax import tree
from archc.types.tensor_type import REAL, TensorType


def gradient(partial: Partial, operands: Sequence[Operand], arguments: Arguments, scope: Scope) -> Binding:
    """The gradient of a block with one result by each of its real inputs, or by the one named `by`; summed over the
    positions that an input does not have.

    A result with axes of its own needs `along`, what its entries are weighed with. Raises Fault E0205, E0330, E0342 for
    what has no gradient, E0410 for a loop that draws random numbers where it has no gradient yet.
    """
    frame, span = scope.frame, arguments.span
    ports = partial.definition.tree.inputs
    if len(partial.definition.tree.outputs) != 1:
        given = count_of(len(partial.definition.tree.outputs))
        what = f"`{partial.definition.tree.name}`"
        raise Fault(faults.WrongResults(span, what=what, given=given, expected="1 result"))
    sharing = partial.sharing
    if sharing is not None and sharing.place is not None and sharing.place not in frame.session.spread:
        # its weights are read here and where it is called
        frame.session.spread.add(sharing.place)
        raise Freeze(frame, frozenset())
    wanted = _wanted([port.name for port in ports], operands, arguments)
    values = [frame.materialise(one.term, port.name, one.span) for one, port in zip(operands, ports, strict=True)]
    counts = Counter(value.name for value in values)
    inputs = [  # a value given twice is two inputs
        value if counts[value.name] == 1 else frame.input(frame.allocate(port.name), value.type, span)
        for port, value in zip(ports, values, strict=True)
    ]
    with frame.region(inputs) as opened:
        inner = [Operand(frame.read(one), operand.span) for one, operand in zip(inputs, operands, strict=True)]
        with nullcontext() if sharing is None else frame.using(sharing):
            (energy,) = inline_block(partial, inner, arguments, scope)
        output = frame.materialise(energy, partial.definition.tree.outputs[0].name, span)
    region = opened.close((output.name,))
    frame.has_derived_loops |= any(isinstance(node, Loop) for node in region.nodes)
    _fix_passes(region, frame)
    weights = _weights(output, partial, arguments, scope)
    try:
        derived = gradients(
            settled(region, frame.resolve),
            [inputs[at].name for at in wanted],
            {output.name: weights},
            Naming(frame.allocate, frame.parameter_name, frame.attribute),
        )
    except OpaqueError as error:
        raise Fault(faults.NotYet(error.node.span, what="the gradient of this loop")) from None
    names = {one.name: value.name for one, value in zip(inputs, values, strict=True)}
    for node in with_names(Region((), derived.nodes, ()), names).nodes:
        frame.emit(node)
    value = replace(output, name=names.get(derived.outputs[0], derived.outputs[0]))
    found = [frame.read(value)] if arguments.callee == VALUE_AND_GRAD else []
    for at, formula in zip(wanted, derived.gradients, strict=True):
        type = TensorType(REAL, values[at].type.axes)
        formula = renamed(formula, names)
        known = (
            Value(formula.value, type) if isinstance(formula, Read) and frame.types.get(formula.value) == type else None
        )
        if known is None or formula != frame.read(known).formula:
            known = Value(frame.allocate(f"{ports[at].name}_gradient"), type)
            formula = distinct(formula, frame.ports.union(type.names))
            frame.emit(Compute(results=(known,), span=span, path=frame.path, formula=formula))
        found.append(frame.read(known))
    return together(found)


def _wanted(names: Sequence[str], operands: Sequence[Operand], arguments: Arguments) -> list[int]:
    """The inputs to derive by. Raises Fault E0204 for a name that is none, E0330 for one that is not real."""
    real = [at for at, one in enumerate(operands) if one.term.kind.is_real]
    by = arguments.named.get("by")
    if by is not None:
        if not isinstance(by.value, tree.Name) or by.value.text not in names:
            expected = f"the name of an input: {listed(names)}"
            raise Fault(faults.WrongArgument(by.value.span, name="by", callee=arguments.callee, expected=expected))
        real = [at for at in real if names[at] == by.value.text]
    if not real:
        at = names.index(by.value.text) if by is not None and isinstance(by.value, tree.Name) else 0
        what, given = f"`{arguments.callee}`", operands[at].term.kind
        raise Fault(faults.KindMismatch(operands[at].span, what=what, expected="real inputs", given=given))
    return real


def _weights(output: Value, partial: Partial, arguments: Arguments, scope: Scope) -> Formula:
    """What the entries of the result are weighed with, over its axes. Raises Fault E0204 and E0205."""
    declared = partial.definition.tree.outputs[0].type
    argument = arguments.named.get("along")
    if argument is None:
        if isinstance(declared, tree.Type) and not declared.axes:
            return ONE
        help = f"`{partial.definition.tree.name}` gives {output.type}: write `along = v`, with a value that weighs it"
        raise Fault(faults.MissingArgument(arguments.span, callee=arguments.callee, name="along", help=help))
    span = argument.value.span
    weights = scope.frame.read(scope.frame.materialise(term(argument.value, scope), "along", span))
    if not weights.kind.is_numeric or not set(weights.names) <= set(output.type.names):
        expected = f"numbers over axes of {output.type}"
        raise Fault(faults.WrongArgument(span, name="along", callee=arguments.callee, expected=expected))
    for axis in weights.axes:
        scope.frame.equate(output.type.sizes[axis.name], axis.size, Mismatch(axis.name, span))
    return weights.formula


def _fix_passes(region: Region, frame: Frame) -> None:
    """See that loops have a known number of passes, so that they can be written out."""
    for node in region.nodes:
        if isinstance(node, Repeat):
            frame.constant(node.count, node.span, "the number of passes of a loop that is derived")
        if isinstance(node, Loop):
            _fix_passes(node.body, frame)
