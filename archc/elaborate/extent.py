"""Sizes, conditions on sizes, lists of axes and types, from the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce

from archc.base.diagnostic import Fault, Note
from archc.base.nearest import nearest
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import (
    AxisList,
    Binding,
    BoundAxis,
    Extent,
    Scalar,
    Term,
    describe,
)
from archc.elaborate.scope import Scope
from archc.formula.tree import SizeValue
from archc.syntax import tree
from archc.types.size import Condition, Size, SizeError, SizeOverflow
from archc.types.tensor_type import KINDS, Axis, Kind, TensorType

_DIVIDING: dict[str, Callable[[Size, Size], Size]] = {
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
_CHOOSING: dict[str, Callable[[Size, Size], Size]] = {"min": Size.minimum, "max": Size.maximum}


def size_of(expr: tree.Expr, scope: Scope) -> Size:
    """The size an expression denotes.

    Raises Fault: E0332 where it is not made of sizes, E0904 where it grows beyond its bounds.
    """
    try:
        return _size(expr, scope)
    except SizeOverflow as error:
        raise Fault(faults.TooLarge(expr.span, reason=error)) from None
    except SizeError as error:
        raise Fault(faults.BadSize(expr.span, what="this", label=str(error))) from None


def _size(expr: tree.Expr, scope: Scope) -> Size:
    match expr:
        case tree.Number(value=int(value)):
            return Size.of(value)
        case tree.Name():
            return _named_size(expr, scope)
        case tree.Negate(operand=operand):
            return -_size(operand, scope)
        case tree.Sum(terms=terms, signs=signs):
            total = Size.of(0)
            for sign, term in zip(signs, terms, strict=True):
                total = total + _size(term, scope) if sign == "+" else total - _size(term, scope)
            return total
        case tree.Product(factors=factors, operators=operators) if "/" not in operators:
            pairs = zip(operators[1:], factors[1:], strict=True)
            return reduce(
                lambda left, pair: _DIVIDING[pair[0]](left, _size(pair[1], scope)), pairs, _size(factors[0], scope)
            )
        case tree.Power(base=base, exponent=exponent):
            return _size(base, scope) ** _size(exponent, scope)
        case tree.Call(function=tree.Name(parts=("size",))):
            return _measured(expr, scope)
        case tree.Call(function=tree.Name(parts=(word,)), arguments=arguments) if word in _CHOOSING and arguments:
            sizes = [_size(argument.value, scope) for argument in arguments]
            return reduce(_CHOOSING[word], sizes)
        case _:
            help = "write `//` for whole division" if isinstance(expr, tree.Product) else ""
            raise Fault(faults.NotASize(expr.span, what="this", help=help))


def _named_size(name: tree.Name, scope: Scope) -> Size:
    found = lookup(name, scope)
    match found:
        case Extent(size=size):
            return size
        case BoundAxis(axis=axis):
            return axis.size
        case AxisList(axes=axes):
            return reduce(lambda left, right: left * right, (axis.size for axis in axes), Size.of(1))
        case Term(formula=SizeValue(size=size)):
            return size
        case _:
            raise Fault(faults.NotASize(name.span, what=describe(found)))


def _measured(call: tree.Call, scope: Scope) -> Size:
    """`size(d)` or `size(x, d)`."""
    names = [argument.value for argument in call.arguments if isinstance(argument.value, tree.Name)]
    if len(names) != len(call.arguments) or not 1 <= len(names) <= 2:
        expected = "an axis, or a value and an axis"
        raise Fault(faults.WrongArity(call.span, callee="size", expected=expected, given=len(call.arguments)))
    if len(names) == 1:
        return _named_size(names[0], scope)
    owner, axes = lookup(names[0], scope), names[1]
    if not isinstance(owner, Term):
        raise Fault(faults.NotAValue(names[0].span, what=describe(owner)))
    total = Size.of(1)
    for axis, _ in expand(axes, scope):
        size = owner.size(axis)
        if size is None:
            raise Fault(unknown_axis(axes, owner.names, f"`{names[0].text}`"))
        total = total * size
    return scope.frame.resolve(total)


def lookup(name: tree.Name, scope: Scope) -> Binding:
    """What a name means. Raises Fault E0201 with the nearest name."""
    if len(name.parts) == 2:
        family = scope.find(name.parts[1])
        if isinstance(family, BoundAxis):
            axis = f"{name.parts[0]}_{family.axis.name}"
            found = scope.find(axis)
            if found is not None:
                return found
    found = scope.find(name.text) or scope.find(scope.local(name.text))
    if found is None:
        near = nearest(name.text, [*scope.words, *scope.file.words])
        raise Fault(faults.UnknownName(name.span, name=name.text, help=f"did you mean `{near}`?" if near else ""))
    return found


def unknown_axis(name: tree.Name, known: Sequence[str], what: str) -> faults.UnknownAxis:
    """The diagnostic for an axis that a value does not have."""
    near = nearest(name.text, known)
    has = ", ".join(f"`{one}`" for one in known) or "none"
    help = f"did you mean `{near}`?" if near else f"its axes are {has}" if known else "it has no axes"
    return faults.UnknownAxis(name.span, what=what, axis=name.text, help=help)


def expand(name: tree.Name, scope: Scope) -> Iterator[tuple[str, Scope]]:
    """The axes a name in axis position stands for, each with the scope in which its size or index is read.

    A hyper-parameter that is a list of axes stands for all of them, and `tap.over` for one new axis `tap_a` for each
    axis a of `over`; in the scope that comes with one of them, `over` is that one axis.
    """
    base = name.parts[-1]
    if len(name.parts) == 1:
        axes = scope.names_axes(base)
        if isinstance(axes, AxisList):
            for axis in axes.axes:
                yield axis.name, scope.child(**{base: BoundAxis(axis)})
        elif isinstance(axes, BoundAxis):
            yield axes.axis.name, scope
        else:
            yield scope.local(base), scope
        return
    found = scope.find(base)
    if not isinstance(found, AxisList | BoundAxis):
        raise Fault(
            faults.WrongArgument(name.span, name=name.text, callee="this", expected="a list of axes after the dot")
        )
    for axis in found.axes if isinstance(found, AxisList) else (found.axis,):
        yield scope.local(f"{name.parts[0]}_{axis.name}"), scope.child(**{base: BoundAxis(axis)})


def conditions_of(expr: tree.Expr, scope: Scope) -> Iterator[Condition]:
    """The conditions on sizes of a `where` or an `assume`; `a and b` is both."""
    match expr:
        case tree.Logic(operator="and", operands=operands):
            for operand in operands:
                yield from conditions_of(operand, scope)
        case tree.Compare(operator=operator, left=left, right=right):
            yield Condition(operator, size_of(left, scope), size_of(right, scope))
        case _:
            raise Fault(
                faults.NotASize(expr.span, what="this", help="conditions on sizes are comparisons, joined by `and`")
            )


def axes_of(
    entries: Sequence[tree.AxisType | tree.AxisSize], scope: Scope, bare: Callable[[str, tree.Name, Scope], Size]
) -> tuple[Axis, ...]:
    """The axes a list in the text stands for; `bare` gives the size of one written without."""
    axes: dict[str, Axis] = {}
    for entry in entries:
        for name, inner in expand(entry.name, scope):
            if name in axes:
                raise Fault(
                    faults.DuplicateAxis(
                        entry.span, axis=name, help=f"call the second one by its own name, as in `m ~ {name}`"
                    )
                )
            size = (
                bare(name, entry.name, inner)
                if entry.size is None
                else positive(size_of(entry.size, inner), entry.size.span)
            )
            twin = entry.twin if isinstance(entry, tree.AxisType) else None
            axes[name] = Axis(name, size, twin)
    return tuple(axes.values())


def positive(size: Size, span: Span) -> Size:
    """A size of an axis: at least one where it is a number."""
    if size.constant is not None and size.constant < 1:
        raise Fault(faults.BadSize(span, what=f"{size.constant}", label="an axis has at least one position"))
    return size


def kind_of(type: tree.Type, scope: Scope) -> Kind:
    """The kind a type names: `real`, `index(n)` with what it indexes, `simplex(n)`, `point(v)`."""
    if type.kind not in KINDS:
        near = nearest(type.kind, KINDS)
        raise Fault(
            faults.UnknownKind(
                type.span, name=type.kind, help=f"did you mean `{near}`?" if near else f"kinds are {', '.join(KINDS)}"
            )
        )
    takes = type.kind in ("index", "simplex", "point")
    if takes != (type.of is not None):
        example = f"`{type.kind}(n)`" if takes else f"`{type.kind}`"
        raise Fault(faults.UnknownKind(type.span, name=type.kind, help=f"write {example}"))
    if type.of is None:
        return Kind(type.kind)
    if isinstance(type.of, tree.Name):
        found = scope.find(type.of.text) or scope.find(scope.local(type.of.text))
        if isinstance(found, BoundAxis):
            return Kind(type.kind, found.axis.name, found.axis.size)
        if isinstance(found, AxisList) and len(found.axes) == 1:
            return Kind(type.kind, found.axes[0].name, found.axes[0].size)
        if type.kind != "index":
            raise Fault(unknown_axis(type.of, sorted(scope.words), "the signature"))
    return Kind(type.kind, None, size_of(type.of, scope))


def type_of(
    type: tree.Type | tree.TupleType, scope: Scope, bare: Callable[[str, tree.Name, Scope], Size]
) -> TensorType:
    """The type a port or parameter declares."""
    if isinstance(type, tree.TupleType):
        raise Fault(faults.NotYet(type.span, what="a tuple type"))
    axes = axes_of(type.axes, scope, bare)
    return TensorType(kind_of(type, scope), axes)


def came_from(scope: Scope, value: str, text: str) -> tuple[Note, ...]:
    """A note that shows where a value comes from."""
    span = scope.frame.spans.get(value)
    return () if span is None else (Note(span, text),)


def number_of(expr: tree.Expr, scope: Scope) -> float | int:
    """A real number written out: a literal, a negated one, or a hyper-parameter with a known value."""
    match expr:
        case tree.Number(value=value):
            return value
        case tree.Negate(operand=operand):
            return -number_of(operand, scope)
        case tree.Name():
            found = lookup(expr, scope)
            if isinstance(found, Scalar):
                return found.value
            if isinstance(found, Extent):
                return scope.frame.constant(found.size, expr.span, f"`{expr.text}`")
        case tree.Product(factors=factors, operators=operators) if set(operators) <= {"*", "/"}:
            value = 1.0
            for operator, factor in zip(operators, factors, strict=True):
                other = number_of(factor, scope)
                if operator == "/" and other == 0:
                    raise Fault(faults.BadSize(factor.span, what="a division by zero"))
                value = value * other if operator == "*" else value / other
            return value
        case tree.Sum(terms=terms, signs=signs):
            return sum((1 if s == "+" else -1) * number_of(t, scope) for s, t in zip(signs, terms, strict=True))
        case _:
            pass
    raise Fault(
        faults.WrongArgument(expr.span, name="this", callee="the call", expected="a number known when compiling")
    )
