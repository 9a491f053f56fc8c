"""The arguments of a call: operands by position, hyper-parameters by kind, `d -> h: 64` for unit axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archc.base.diagnostic import Fault, Note
from archc.base.nearest import nearest
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import (
    Activation,
    AxisList,
    Binding,
    BoundAxis,
    Definition,
    Extent,
    Flag,
    Partial,
    Scalar,
    Term,
    Word,
    describe,
)
from archc.elaborate.evaluate import as_edge, each, evaluate, values_of
from archc.elaborate.extent import axes_of, expand, listed, number_of, quoted, size_of, unknown_axis
from archc.elaborate.scope import Scope
from archc.syntax import tree
from archc.syntax.unparse import unparse
from archc.types.size import Size
from archc.types.tensor_type import Axis

HYPER_KINDS = ("int", "real", "bool", "axis", "axes", "activation", "edge", "block", "choice")


@dataclass
class Operand:
    """One value given to a call, and where."""

    term: Term
    span: Span


@dataclass
class Arguments:
    """A call's arguments, sorted: operands by position, the arrow, and everything named (not yet evaluated)."""

    callee: str
    span: Span
    operands: list[Operand] = field(default_factory=list)
    arrow: tree.Arrow | None = None

    named: dict[str, tree.Argument] = field(default_factory=dict)

    def size_of_axis(self, axis: str) -> Size | None:
        """The size of an axis of the operands."""
        return next((size for one in self.operands if (size := one.term.size(axis)) is not None), None)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The axes that the operands have."""
        return tuple(dict.fromkeys(name for one in self.operands for name in one.term.names))

    def unknown(self, known: Sequence[str]) -> None:
        """Refuse named arguments that the callee does not have."""
        for fault in strange(self.callee, self.named, known):
            raise Fault(fault)


def strange(callee: str, named: Mapping[str, tree.Argument], known: Sequence[str]) -> Iterator[faults.UnknownArgument]:
    """The named arguments that a callee does not have."""
    for name, argument in named.items():
        if name not in known:
            near = nearest(name, known)
            has = f"it has {listed(known)}" if known else "it takes operands only"
            help = f"did you mean `{near}`?" if near else has
            yield faults.UnknownArgument(argument.span.word(name), callee=callee, name=name, help=help)


def sort(call: tree.Call, piped: Sequence[Operand], scope: Scope) -> Arguments:
    """Sort the arguments of a call; a piped value is its first operand. Operands are evaluated in `scope`."""
    found = Arguments(call.function.text, call.span, list(piped))
    values: list[tree.Argument] = []
    for argument in call.arguments:
        if argument.name is not None:
            if argument.name in found.named:
                first = Note(found.named[argument.name].span, "given here")
                raise Fault(
                    faults.RepeatedArgument(argument.span.word(argument.name), name=argument.name, notes=[first])
                )
            found.named[argument.name] = argument
        elif isinstance(argument.value, tree.Arrow):
            if found.arrow is not None:
                help = "one call maps axes once; put the second map into a call of its own"
                first = Note(found.arrow.span, "given here")
                raise Fault(faults.RepeatedArgument(argument.span, name="->", notes=[first], help=help))
            found.arrow = argument.value
        elif isinstance(argument.value, tree.AxisSize):
            help = "an axis is given by name, as in `over = d`, or by an arrow, as in `d -> h: 64`"
            raise Fault(
                faults.UnknownArgument(argument.span, callee=found.callee, name=unparse(argument.value), help=help)
            )
        else:
            values.append(argument)
    for argument, value in zip(values, each([one.value for one in values], scope), strict=True):
        found.operands.extend(Operand(one, argument.span) for one in values_of(value, argument.span))
    return found


def source_axes(entries: Sequence[tree.AxisSize], arguments: Arguments, scope: Scope) -> tuple[Axis, ...]:
    """Axes that the operands have: `d`, `(head, k)`; a size written with one is checked by the caller."""

    def given(name: str, entry: tree.Name, _: Scope) -> Size:
        size = arguments.size_of_axis(name)
        if size is None and not arguments.operands:
            return scope.frame.solver.unknown(name)  # a block without its operands yet: they will say
        if size is None:
            fault = unknown_axis(entry, arguments.axis_names, f"the operand of `{arguments.callee}`")
            raise scope.frame.lacking(fault, name, [one.term for one in arguments.operands])
        return size

    return axes_of(entries, scope, given)


def target_axes(entries: Sequence[tree.AxisSize], sources: Sequence[Axis], scope: Scope) -> tuple[Axis, ...]:
    """New axes: `h: 64`; one without a size keeps that of the source axis of its name, or is still to be solved."""
    known = {axis.name: axis.size for axis in sources}

    def size(name: str, entry: tree.Name, _: Scope) -> Size:
        listed = scope.names_axes(entry.parts[-1])  # the I of `J -> I` has its own size, whatever its name
        own = {axis.name: axis.size for axis in listed.axes} if isinstance(listed, AxisList) else known
        return own.get(name) or scope.frame.solver.unknown(name)

    return axes_of(entries, scope, size)


def axis_list(expr: tree.Expr, arguments: Arguments, scope: Scope, word: str, *, new: bool = False) -> AxisList:
    """The axes that the argument `word` names: `h`, `(h, w)`, or a hyper-parameter that stands for some.

    Axes of the operands by default; with `new`, axes that the callee makes (`k: 4`, or without a size).
    """
    items = expr.items if isinstance(expr, tree.Group) else (expr,)
    axes: dict[str, Axis] = {}
    for item in items:
        name = item.name if isinstance(item, tree.AxisSize) else item
        if not isinstance(name, tree.Name):
            help = "write the name of an axis, or several as in `(h, w)`"
            raise Fault(faults.WrongArgument(item.span, name=word, callee=arguments.callee, expected="axes", help=help))
        for axis, inner in expand(name, scope):
            size = arguments.size_of_axis(axis)
            if isinstance(item, tree.AxisSize) and item.size is not None:
                size = size_of(item.size, inner)
            bound = scope.find(name.text)
            if size is None and isinstance(bound, BoundAxis) and not (new and name.text in scope.introduced):
                size = bound.axis.size
            if size is None and arguments.operands and not new:
                fault = unknown_axis(name, arguments.axis_names, f"the operand of `{arguments.callee}`")
                raise scope.frame.lacking(fault, axis, [one.term for one in arguments.operands])
            if axis in axes:
                raise Fault(faults.DuplicateAxis(name.span, axis=axis, help="name it once"))
            axes[axis] = Axis(axis, scope.frame.solver.unknown(axis) if size is None else size)
    return AxisList(tuple(axes.values()))


def hyper_kind(hyper: tree.Hyper) -> str:
    """The kind of a hyper-parameter: declared, or that of its default."""
    if hyper.kind is not None:
        if hyper.kind not in HYPER_KINDS:
            near = nearest(hyper.kind, HYPER_KINDS)
            help = f"did you mean `{near}`?" if near else f"hyper-parameters are {listed(HYPER_KINDS)}"
            raise Fault(faults.UnknownKind(hyper.span.word(hyper.kind), name=hyper.kind, help=help))
        return hyper.kind
    match hyper.default:
        case tree.Number(value=float()):
            return "real"
        case tree.Truth():
            return "bool"
        case _:
            return "int"


def hyper_value(hyper: tree.Hyper, expr: tree.Expr, arguments: Arguments, scope: Scope) -> Binding:
    """Evaluate a hyper-parameter's argument by the kind that is asked for. Raises Fault E0204, E0208."""
    kind = hyper_kind(hyper)
    match kind:
        case "int":
            return Extent(scope.frame.resolve(size_of(expr, scope)))
        case "real":
            return Scalar(float(number_of(expr, scope, hyper.name, arguments.callee)))
        case "axis" | "axes":
            return axis_list(expr, arguments, scope, hyper.name)
        case "edge" | "activation" | "block":
            return as_edge(evaluate(expr, scope), expr.span, hyper.name, arguments.callee)
        case "bool":
            found = evaluate(expr, scope)
            if isinstance(found, Flag):
                return found
        case _:
            return choice(hyper.name, hyper.choices, expr, scope)
    raise Fault(
        faults.WrongArgument(
            expr.span,
            name=hyper.name,
            callee=arguments.callee,
            expected=f"`true` or `false`, not {describe(found)}",
            help=f"write `{hyper.name} = true` or `{hyper.name} = false`",
        )
    )


def choice(name: str, words: Sequence[str], expr: tree.Expr, scope: Scope) -> Word:
    """One of a list of words, written out or passed on."""
    if isinstance(expr, tree.Name):
        if expr.text in words:
            return Word(expr.text)
        found = scope.find(expr.text)
        if isinstance(found, Word) and found.text in words:
            return found
        near = nearest(expr.text, words)
        help = f"did you mean `{near}`?" if near else f"choices are {listed(words)}"
        raise Fault(faults.UnknownChoice(expr.span, given=f"`{expr.text}`", name=name, help=help))
    raise Fault(faults.UnknownChoice(expr.span, given=quoted(expr), name=name, help=f"choices are {listed(words)}"))


def bind_hypers(definition: Definition, arguments: Arguments, scope: Scope) -> dict[str, Binding]:
    """The hyper-parameters that a call gives, evaluated where the call stands; defaults are left to the block."""
    given: dict[str, Binding] = {}
    ports = list(definition.flat.inputs)
    names = [hyper.name for hyper in definition.tree.hypers if isinstance(hyper, tree.Hyper)]
    arguments.unknown((*names, *ports))
    for hyper in definition.tree.hypers:
        if isinstance(hyper, tree.HyperArrow):
            if arguments.arrow is not None:
                sources = source_axes(arguments.arrow.source, arguments, scope)
                given[hyper.source] = AxisList(sources)
                given[hyper.target] = AxisList(target_axes(arguments.arrow.target, sources, scope))
        elif hyper.name in arguments.named:
            given[hyper.name] = hyper_value(hyper, arguments.named[hyper.name].value, arguments, scope)
    if arguments.arrow is not None and not any(isinstance(one, tree.HyperArrow) for one in definition.tree.hypers):
        raise Fault(
            faults.UnknownArgument(
                arguments.arrow.span,
                callee=arguments.callee,
                name="->",
                notes=(Note(definition.tree.head, "declared without an arrow such as `J -> I`"),),
                help=f"leave the arrow out; it has {listed((*names, *ports))}",
            )
        )
    return given


def activation_of(expr: tree.Expr, scope: Scope) -> Activation | Partial | None:
    """The neuron of a layer: an elementwise function or a block; None for `identity`."""
    if isinstance(expr, tree.Name) and expr.text == "identity" and scope.find("identity") is None:
        return None
    found = evaluate(expr, scope)
    if isinstance(found, Activation | Partial):
        return found
    expected = f"an elementwise function or a block, not {describe(found)}"
    help = "write a function such as `relu`"
    raise Fault(faults.WrongArgument(expr.span, name="neuron", callee="layer", expected=expected, help=help))
