"""Loops over data: `scan` along an axis, `fixpoint` to where nothing changes."""

from __future__ import annotations

from collections.abc import Sequence

from archc.base.diagnostic import Fault, Note
from archc.derive.coupling import UnsuitableError, require_affine
from archc.elaborate import faults
from archc.elaborate.binding import AxisList, Binding, BoundAxis, together
from archc.elaborate.carry import Looping, passed, starts
from archc.elaborate.evaluate import evaluate
from archc.elaborate.extent import expand, size_of, unknown_axis
from archc.elaborate.frame import Open, Session
from archc.elaborate.scope import Emitted, Scope, Slicing, stem
from archc.elaborate.solver import FIXPOINT, SCAN, solver_of
from archc.ir.node import Fixpoint, Node, Parameter, Region, Scan, Solver, Value
from archc.ir.state import has_state
from archc.syntax import tree
from archc.types.tensor_type import Axis, TensorType


@evaluate.register
def _(expr: tree.Scan, scope: Scope, hint: str | None = None) -> Binding:
    frame = scope.frame
    axis = _axis(expr, scope)
    solver = solver_of(expr.solver, SCAN, scope) if expr.solver else None
    start, initial, inputs = starts(expr, scope)
    inner = scope.child({carry.name: frame.read(value) for carry, value in zip(expr.carries, inputs, strict=True)})
    inner.introduced = set(scope.introduced)
    emitted: list[Emitted] = []
    with frame.region(inputs) as region:
        inner.slicing = slicing = Slicing(frame, axis, expr.span, scope.slicing, region)
        inner.positions = {name: one for name, one in scope.positions.items() if name != axis.name}
        inner.emitted = emitted
        if expr.axis.size is not None:
            inner.names.setdefault(axis.name, BoundAxis(axis))
        outputs = passed(expr, inner, start, inputs)
        given = [frame.materialise(one.term, one.hint, one.span) for one in emitted]
    _demand_stateless(expr, region.nodes, frame.session)
    body, slices = _sliced(region, slicing, [*outputs, *(value.name for value in given)])
    if solver is not None and solver.word == "associative" and not frame.failed:
        _prove_affine(body, inputs, expr)
    before = _before(axis, [frame.types[name] for name in slices])
    names = [*_names(expr), *(stem(value.name) for value in given)]
    if hint and len(names) == 1:
        names = [hint]
    types = [value.type for value in inputs]
    types += [TensorType(value.type.kind, _with(axis, value.type.axes, before)) for value in given]
    results = tuple(Value(frame.allocate(name), type) for name, type in zip(names, types, strict=True))
    frame.emit(
        Scan(
            results=results,
            span=expr.span,
            path=frame.path,
            module=frame.attribute(f"{_stem(expr, hint)}_step"),
            initial=initial,
            body=body,
            axis=axis,
            slices=slices,
            solver=solver,
        )
    )
    return together([frame.read(value) for value in results])


@evaluate.register
def _(expr: tree.Fixpoint, scope: Scope, hint: str | None = None) -> Binding:
    frame = scope.frame
    call = expr.solver or tree.Call(span=expr.span, function=tree.Name(span=expr.span, parts=("plain",)), arguments=())
    solver: Solver = solver_of(call, FIXPOINT, scope)
    start, initial, inputs = starts(expr, scope)
    inner = scope.child({carry.name: frame.read(value) for carry, value in zip(expr.carries, inputs, strict=True)})
    inner.introduced, inner.emitted = set(scope.introduced), None
    with frame.region(inputs) as region:
        outputs = passed(expr, inner, start, inputs)
    _demand_stateless(expr, region.nodes, frame.session)
    names = [hint] if hint and len(inputs) == 1 else _names(expr)
    # they are what a pass gives back
    types = [TensorType(frame.types[name].kind, value.type.axes) for name, value in zip(outputs, inputs, strict=True)]
    results = tuple(Value(frame.allocate(name), type) for name, type in zip(names, types, strict=True))
    module = frame.attribute(f"{_stem(expr, hint)}_step")
    frame.emit(
        Fixpoint(
            results=results,
            span=expr.span,
            path=frame.path,
            module=module,
            initial=initial,
            body=region.close(outputs),
            solver=solver,
        )
    )
    return together([frame.read(value) for value in results])


def _axis(expr: tree.Scan, scope: Scope) -> Axis:
    """The axis of a `scan`: one that is there, or a new one with its size. Raises Fault E0301, E0204."""
    found = list(expand(expr.axis.name, scope))
    if len(found) != 1:
        name, expected = expr.axis.name.text, "one axis"
        raise Fault(faults.WrongArgument(expr.axis.span, name=name, callee="scan", expected=expected))
    ((name, inner),) = found
    if expr.axis.size is not None:
        return Axis(name, scope.frame.resolve(size_of(expr.axis.size, inner)))
    bound = scope.names_axes(expr.axis.name.text) or scope.find(name)
    axes = bound.axes if isinstance(bound, AxisList) else (bound.axis,) if isinstance(bound, BoundAxis) else ()
    for axis in axes:
        if axis.name == name:
            return Axis(name, scope.frame.resolve(axis.size))
    raise Fault(unknown_axis(expr.axis.name, (), "the block"))


def _prove_affine(body: Region, carries: Sequence[Value], expr: tree.Scan) -> None:
    """Raises Fault E0412 where the steps are not affine, or not visibly."""
    try:
        require_affine(body, carries)
    except UnsuitableError as error:
        assert expr.solver is not None
        help = "leave out `using associative()`, or make what it carries enter linearly"
        notes = (Note(error.node.span, "here"),) if error.node else ()
        raise Fault(faults.NotAffine(expr.solver.span, reason=str(error), help=help, notes=notes)) from error


def _demand_stateless(expr: Looping, nodes: Sequence[Node], session: Session) -> None:
    """Raise Fault E0413 where a pass declares a state, or what it calls does."""
    for node in nodes:
        if has_state(node, session.blocks):
            where = "a pass of a `scan`" if isinstance(expr, tree.Scan) else "a pass of a `fixpoint`"
            label = "" if isinstance(node, Parameter) else "what this calls has one"
            raise Fault(faults.StateInside(node.span, where=where, label=label))


def _sliced(region: Open, slicing: Slicing, outputs: Sequence[str]) -> tuple[Region, tuple[str, ...]]:
    """The body with the entries that it reads as inputs, in the order in which it reads them, and their sources."""
    body = region.close(outputs)
    sources = {value.name: source for source, value in slicing.slices.items()}
    read = [name for name in body.captures if name in sources]
    values = {value.name: value for value in slicing.slices.values()}
    return Region((*body.inputs, *(values[name] for name in read)), body.nodes, body.outputs), tuple(
        sources[name] for name in read
    )


def _before(axis: Axis, slices: Sequence[TensorType]) -> frozenset[str]:
    """The axes that stand before that of the loop in what it gives: those ahead of it in what it reads first. Lifted
    ones are like others here, since the text of a graph, which has none, gives the same order."""
    first = next(iter(slices), None)
    return frozenset(first.names[: first.names.index(axis.name)] if first else ())


def _with(axis: Axis, axes: Sequence[Axis], before: frozenset[str]) -> tuple[Axis, ...]:
    return (*(a for a in axes if a.name in before), axis, *(a for a in axes if a.name not in before))


def _names(expr: Looping) -> list[str]:
    return [stem(carry.name) for carry in expr.carries]


def _stem(expr: Looping, hint: str | None) -> str:
    return stem(hint or expr.carries[0].name)
