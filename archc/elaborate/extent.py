"""Sizes, conditions on sizes, lists of axes and types, from the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce

from archc.base.diagnostic import Fault
from archc.base.foreign import instead
from archc.base.limits import LIMITS
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
from archc.elaborate.constraint import Demand
from archc.elaborate.frame import Poisoned
from archc.elaborate.library import library_home, library_words
from archc.elaborate.scope import Scope
from archc.formula.tree import SizeValue
from archc.syntax import tree
from archc.syntax.nesting import children
from archc.syntax.unparse import unparse
from archc.types.size import Condition, Size, SizeError, SizeOverflow
from archc.types.tensor_type import KINDS, REAL, Axis, Kind, TensorType

LONGEST = 40
"""The longest expression that a message repeats."""

SECOND_AXIS = "an axis has a name of its own; a second one over the same set is written `m ~ n`"

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
        raise Fault(faults.BadSize(expr.span, what=quoted(expr), label=str(error))) from None


@contextmanager
def bounded(span: Span) -> Iterator[None]:
    """Blame a place for a size that grows beyond its bounds or has no value. Raises Fault E0904, E0322."""
    try:
        yield
    except SizeOverflow as error:
        raise Fault(faults.TooLarge(span, reason=error)) from None
    except SizeError as error:
        raise Fault(faults.BadSize(span, what="a size of this", label=str(error))) from None


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
            total = _size(factors[0], scope)
            for operator, factor in zip(operators[1:], factors[1:], strict=True):
                total = _multiplied(total, operator, _size(factor, scope), factor.span, scope)
            return total
        case tree.Power(base=base, exponent=exponent):
            return _size(base, scope) ** _size(exponent, scope)
        case tree.Call(function=tree.Name(parts=("size",))):
            return _measured(expr, scope)
        case tree.Call(function=tree.Name(parts=(word,)), arguments=arguments) if word in _CHOOSING and arguments:
            sizes = [_size(argument.value, scope) for argument in arguments]
            return reduce(_CHOOSING[word], sizes)
        case _:
            help = "write `//` for whole division" if isinstance(expr, tree.Product) else ""
            help = "write a whole number" if isinstance(expr, tree.Number) else help
            raise Fault(faults.NotASize(expr.span, what=quoted(expr), help=help))


def _multiplied(left: Size, operator: str, right: Size, span: Span, scope: Scope) -> Size:
    """A product, quotient or remainder of sizes; what divides must be at least one."""
    if operator == "*":
        return left * right
    if right.constant is None:
        scope.frame.demand(Condition(">=", right, Size.of(1)), Demand(operator, span))
    return left // right if operator == "//" else left % right


def _named_size(name: tree.Name, scope: Scope) -> Size:
    found = find_name(name, scope)
    match found:
        case None:
            help = f"a size that a user may choose is a hyper-parameter: `({name.text} = 64)`"
            raise Fault(unknown_name(name, scope, help=help))
        case Extent(size=size):
            return size
        case BoundAxis(axis=axis):
            return axis.size
        case AxisList(axes=axes):
            return reduce(lambda left, right: left * right, (axis.size for axis in axes), Size.of(1))
        case Term(formula=SizeValue(size=size)):
            return size
        case _:
            label = f"this is {describe(found)}"
            help = f"the size of one of its axes is written `size({name.text}, d)`" if isinstance(found, Term) else ""
            help = help if getattr(found, "axes", ()) else f"a size is a hyper-parameter: `({name.text}: int = 64)`"
            raise Fault(faults.NotASize(name.span, what=f"`{name.text}`", label=label, help=help))


def _measured(call: tree.Call, scope: Scope) -> Size:
    """`size(d)`, `size(x, d)`, or a size that is written out: `size(2 * d)`."""
    names = [argument.value for argument in call.arguments if isinstance(argument.value, tree.Name)]
    if len(call.arguments) == 1 and not names:
        return _size(call.arguments[0].value, scope)
    if len(names) != len(call.arguments) or not 1 <= len(names) <= 2:
        expected = "an axis, or a value and an axis"
        given, help = len(call.arguments), "write `size(d)`, or `size(x, d)` for the axis of a value"
        raise Fault(faults.WrongArity(call.span, callee="size", expected=expected, given=given, help=help))
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
    found = find_name(name, scope)
    if found is None:
        raise Fault(unknown_name(name, scope))
    return found


def find_name(name: tree.Name, scope: Scope) -> Binding | None:
    """What a name means in a scope, None where it means nothing."""
    if len(name.parts) == 2:
        family = scope.find(name.parts[1])
        if isinstance(family, BoundAxis):
            axis = scope.local(f"{name.parts[0]}_{family.axis.name}")
            found = scope.find(axis)
            if found is not None:
                return found
    return scope.find(scope.local(name.text)) or scope.find(name.text)


def unknown_name(name: tree.Name, scope: Scope, known: Iterable[str] = (), help: str = "") -> faults.UnknownName:
    """The diagnostic for a name that means nothing, with the file of the library or the name that was probably meant.

    `known` are names that would do beside those in scope. Raises Poisoned where the name may be that of a definition
    with a fault, or where a `use` of the file failed, since what it would have brought is not known.
    """
    if not scope.file.is_sure_of(name.parts):
        raise Poisoned
    home = library_home(name.text)
    if home is not None:
        help = f"write `use {home}`"
    elif instead(name.text):
        help = instead(name.text)
    elif len(scope.frame.session.findings) <= LIMITS.diagnostics:  # what is not shown needs no slow search
        near = nearest(name.text, [*scope.words, *scope.file.words, *known])
        far = nearest(name.text, library_words())
        if far is not None and (near is None or far == name.text.lower()):
            help = f"did you mean `{far}`? write `use {library_home(far)}`"
        elif near is not None:
            help = f"did you mean `{near}`?"
    if not help and len(name.parts) == 1:
        help = f"name a value by `let {name.text} = ...` above, or make it an input"
    return faults.UnknownName(name.span, name=name.text, help=help)


def unknown_axis(name: tree.Name, known: Sequence[str], what: str) -> faults.UnknownAxis:
    """The diagnostic for an axis that a value does not have."""
    near = nearest(name.text, known)
    has = f"its axes are {listed(known)}" if known else "it has no axes"
    help = f"did you mean `{near}`?" if near else has
    return faults.UnknownAxis(name.span, what=what, axis=name.text, help=help)


def listed(words: Iterable[str]) -> str:
    """Words for a message, each in backticks."""
    return ", ".join(f"`{word}`" for word in words)


def counted(number: int, what: str) -> str:
    """A number of things for a message: `1 operand`, `2 operands`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def quoted(expr: tree.Expr) -> str:
    """An expression for a message: as the spec has it, cut where it is long."""
    text = unparse(expr)
    return "this" if len(text) > LONGEST or "\n" in text else f"`{text}`"


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
                yield axis.name, scope.child({base: BoundAxis(axis)})
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
        yield scope.local(f"{name.parts[0]}_{axis.name}"), scope.child({base: BoundAxis(axis)})


def conditions_of(expr: tree.Expr, scope: Scope) -> Iterator[Condition]:
    """The conditions on sizes of a `where` or an `assume`. Raises Fault E0330 for what is none."""
    for compare, inner in comparisons(expr, scope):
        yield condition_of(compare, inner)


def condition_of(compare: tree.Compare, scope: Scope) -> Condition:
    """One comparison of sizes."""
    return Condition(compare.operator, size_of(compare.left, scope), size_of(compare.right, scope))


def comparisons(expr: tree.Expr, scope: Scope) -> Iterator[tuple[tree.Compare, Scope]]:
    """The comparisons of a condition with the scopes to read them in: `a and b` is both, and one that speaks of a list
    of axes is one for each of them."""
    match expr:
        case tree.Logic(operator="and", operands=operands):
            for operand in operands:
                yield from comparisons(operand, scope)
        case tree.Compare():
            for inner in _each_axis(expr, scope):
                yield expr, inner
        case _:
            help = "compare sizes, as in `size(d) % 4 == 0`; join comparisons by `and`"
            raise Fault(
                faults.KindMismatch(
                    expr.span, what="`where`", expected="a condition on sizes", given=quoted(expr), help=help
                )
            )


def size_names(expr: tree.Tree) -> Iterator[tree.Name]:
    """The names that a size or a condition is made of."""
    match expr:
        case tree.Name():
            yield expr
        case tree.Call(arguments=arguments):
            for argument in arguments:
                yield from size_names(argument.value)
        case _:
            for child in children(expr):
                yield from size_names(child)


def axis_word(name: tree.Name, scope: Scope) -> str:
    """A name as its caller knows it: the axis, where it is a hyper-parameter that stands for one."""
    found = scope.find(name.text)
    if isinstance(found, AxisList) and len(found.axes) == 1:
        return found.axes[0].name
    return found.axis.name if isinstance(found, BoundAxis) else name.text


def _each_axis(expr: tree.Expr, scope: Scope) -> Iterator[Scope]:
    """The scope, or one for each axis of the lists of axes that an expression names."""
    found = {name.text: scope.names_axes(name.text) for name in size_names(expr)}
    lists = {word: one.axes for word, one in found.items() if isinstance(one, AxisList)}
    if not lists:
        yield scope
    for axes in zip(*lists.values(), strict=False) if lists else ():
        yield scope.child({word: BoundAxis(axis) for word, axis in zip(lists, axes, strict=True)})


def axes_of(
    entries: Sequence[tree.AxisType | tree.AxisSize], scope: Scope, bare: Callable[[str, tree.Name, Scope], Size]
) -> tuple[Axis, ...]:
    """The axes a list in the text stands for; `bare` gives the size of one written without."""
    axes: dict[str, Axis] = {}
    for entry in entries:
        for name, inner in expand(entry.name, scope):
            if name in axes:
                raise Fault(faults.DuplicateAxis(entry.span, axis=name, help=SECOND_AXIS))
            written = written_size(entry)
            size = (
                bare(name, entry.name, inner)
                if written is None
                else positive(size_of(written, inner), written.span, scope.frame.values)
            )
            twin = entry.twin if isinstance(entry, tree.AxisType) else None
            axes[name] = Axis(name, size, twin)
    return tuple(axes.values())


def written_size(entry: tree.AxisType | tree.AxisSize) -> tree.Expr | None:
    """The size that an axis is written with; `m ~ n` has that of n."""
    if isinstance(entry, tree.AxisType) and entry.twin is not None:
        return tree.Name(span=entry.span, parts=(entry.twin,))
    return entry.size


def place_of(axis: Axis, entries: Sequence[tree.AxisType | tree.AxisSize], default: Span) -> Span:
    """Where a list of axes in the text speaks of an axis."""
    return next((entry.span for entry in entries if entry.name.text == axis.name), default)


def positive(size: Size, span: Span, values: Mapping[str, int]) -> Size:
    """A size of an axis: at least one, as far as the values of its symbols are known. Raises Fault E0322."""
    if size.symbols <= set(values) and (number := size.evaluate(values)) < 1:
        what = f"{number}" if size.constant is not None else f"`{size}` = {number}"
        label, help = "an axis has at least one position", "write a size of 1 or more"
        raise Fault(faults.BadSize(span, what=what, label=label, help=help))
    return size


def kind_of(type: tree.Type, scope: Scope) -> Kind:
    """The kind a type names: `real`, `index(n)` with what it indexes, `simplex(n)`, `point(v)`."""
    if type.kind not in KINDS:
        near = nearest(type.kind, KINDS)
        help = f"did you mean `{near}`?" if near else f"kinds are {listed(KINDS)}"
        raise Fault(faults.UnknownKind(type.span.word(type.kind), name=type.kind, help=help))
    takes = type.kind in ("index", "simplex", "point")
    if takes and type.of is None:
        example = f"write `{type.kind}(n)`, where n is an axis"
        place = type.span.word(type.kind)
        raise Fault(faults.MissingArgument(place, callee=type.kind, name="(n)", help=example))
    if type.of is None:
        return Kind(type.kind)
    if not takes:
        raise Fault(
            faults.UnknownArgument(
                type.of.span, callee=type.kind, name=unparse(type.of), help=f"write `{type.kind}[...]`"
            )
        )
    if isinstance(type.of, tree.Name):
        found = scope.find(type.of.text) or scope.find(scope.local(type.of.text))
        if isinstance(found, BoundAxis):
            return Kind(type.kind, found.axis.name, found.axis.size)
        if isinstance(found, AxisList) and len(found.axes) == 1:
            return Kind(type.kind, found.axes[0].name, found.axes[0].size)
        if isinstance(found, AxisList) and type.kind == "simplex":
            return REAL  # a distribution over several axes at once: no single one of them sums to one
        if type.kind != "index":
            raise Fault(unknown_axis(type.of, sorted(scope.words), "the signature"))
    return Kind(type.kind, None, size_of(type.of, scope))


def type_of(
    type: tree.Type | tree.TupleType, scope: Scope, bare: Callable[[str, tree.Name, Scope], Size]
) -> TensorType:
    """The type a port or parameter declares."""
    assert isinstance(type, tree.Type)  # tuples of ports are flat by now
    axes = axes_of(type.axes, scope, bare)
    own = scope.child({axis.name: BoundAxis(axis) for axis in axes if scope.find(axis.name) is None})
    return TensorType(kind_of(type, own), axes)


def number_of(expr: tree.Expr, scope: Scope, name: str, callee: str) -> float | int:
    """A real number written out, for the argument `name` of `callee`: a literal, a hyper-parameter with a known value,
    or arithmetic of such. Raises Fault E0204 for anything else."""
    match expr:
        case tree.Number(value=value):
            return value
        case tree.Negate(operand=operand):
            return -number_of(operand, scope, name, callee)
        case tree.Name():
            found = lookup(expr, scope)
            if isinstance(found, Scalar):
                return found.value
            if isinstance(found, Extent):
                return scope.frame.constant(found.size, expr.span, f"`{expr.text}`")
        case tree.Product(factors=factors, operators=operators) if set(operators) <= {"*", "/"}:
            value = 1.0
            for operator, factor in zip(operators, factors, strict=True):
                other = number_of(factor, scope, name, callee)
                if operator == "/" and other == 0:
                    raise Fault(faults.BadSize(factor.span, what="a division by zero"))
                value = value * other if operator == "*" else value / other
            return value
        case tree.Sum(terms=terms, signs=signs):
            parts = [number_of(one, scope, name, callee) for one in terms]
            return sum(part if sign == "+" else -part for sign, part in zip(signs, parts, strict=True))
        case _:
            pass
    raise Fault(
        faults.WrongArgument(
            expr.span,
            name=name,
            callee=callee,
            expected="a number known when the spec is compiled",
            help="write a number, or a hyper-parameter such as `rate: real = 0.1`",
        )
    )
