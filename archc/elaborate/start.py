"""How parameters start: initialisers with their numbers and fans, from a declaration or from the layer around."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archc.base.diagnostic import Fault
from archc.base.nearest import nearest
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.binding import Term, Word
from archc.elaborate.extent import listed, number_of, size_of
from archc.elaborate.scope import Scope, Start
from archc.ir.node import Initial
from archc.ops.registries import INITIALISERS
from archc.syntax import tree
from archc.types.size import Size
from archc.types.tensor_type import Axis, TensorType

FANS = ("fan_in", "fan_out")
"""What an initialiser may be scaled by: how many values each unit reads, and how many units read each."""


def start_of(expr: tree.Expr, scope: Scope, name: str, callee: str) -> Start:
    """A start as it is written for the argument `name` of `callee`: an initialiser, or a number for all entries.

    Raises Fault E0204 for what is neither, and what `worded_start` raises.
    """
    start = worded_start(expr, scope)
    if start is not None:
        return start
    try:
        return Start("constant", (float(number_of(expr, scope, name, callee)),), (), expr.span)
    except Fault:
        near = nearest(_word(expr, scope), INITIALISERS.words)
        help = f"did you mean `{near}`?" if near else f"initialisers are {listed(INITIALISERS.words)}"
        expected = "an initialiser or a number"
        raise Fault(faults.WrongArgument(expr.span, name=name, callee=callee, expected=expected, help=help)) from None


def worded_start(expr: tree.Expr, scope: Scope) -> Start | None:
    """A start by its word, `normal(0.1)`, or `kaiming(fan_in = 64)` where its scale is not that of the parameter's own
    axes; None for what names no initialiser.

    Raises Fault E0203 for too few or too many numbers, E0202 for another one that is named.
    """
    word = _word(expr, scope)
    if word not in INITIALISERS:
        return None
    numbers: list[tree.Expr] = []
    fans: dict[str, Size] = {}
    for argument in expr.arguments if isinstance(expr, tree.Call) else ():
        if argument.name is None:
            numbers.append(argument.value)
        elif argument.name in FANS:
            fans[argument.name] = size_of(argument.value, scope)
        else:
            help = "an initialiser's numbers are given by position, as in `normal(0.1)`"
            place = argument.span.word(argument.name)
            raise Fault(faults.UnknownArgument(place, callee=word, name=argument.name, help=help))
    return Start(word, _numbers(word, numbers, expr.span, scope), tuple(fans.items()), expr.span)


def _word(expr: tree.Expr, scope: Scope) -> str:
    """The word that an expression may mean an initialiser by: written out, or a choice that was made elsewhere."""
    name = expr.function if isinstance(expr, tree.Call) else expr
    found = scope.find(name.text) if isinstance(name, tree.Name) else None
    if isinstance(found, Word):
        return found.text
    return name.text if isinstance(name, tree.Name) and isinstance(found, Term | None) else ""


def _numbers(word: str, given: Sequence[tree.Expr], span: Span, scope: Scope) -> tuple[float, ...]:
    names, least = INITIALISERS[word].arguments, INITIALISERS[word].least
    if not least <= len(given) <= len(names):
        expected = f"{least} to {len(names)} numbers" if least < len(names) else f"{least} number{'s' * (least != 1)}"
        help = f"write `{word}({', '.join(names)})`" if names else f"write `{word}`"
        raise Fault(faults.WrongArity(span, callee=word, expected=expected, given=len(given), help=help))
    return tuple(float(number_of(one, scope, name, word)) for one, name in zip(given, names, strict=False))


def initial_of(start: Start | None, own: TensorType, scope: Scope, role: str) -> Initial:
    """How a parameter of a type starts: as it says itself, else as the layer around asks, else by the default.

    Raises Fault E0204 where the initialiser is not one of such a tensor, or of such numbers.
    """
    edging = scope.edging
    start = start or (edging.initial if edging else None) or Start("kaiming")
    kind, axes = INITIALISERS[start.word](), every_axis(own, scope)
    expected = kind.expects(start.numbers, len(axes))
    if expected and start.span is not None:
        raise Fault(faults.WrongArgument(start.span, name=start.word, callee=role, expected=expected))
    fans = dict(zip(FANS, Initial.fans(axes), strict=True))
    if edging is not None and kind.is_scaled:
        each = prod((axis.size for axis in own.axes), start=Size.of(1))
        fans = {"fan_in": edging.fan_in * each, "fan_out": edging.fan_out * each}
    fans.update(start.fans)
    return Initial(start.word, start.numbers, **fans)


def every_axis(own: TensorType, scope: Scope) -> tuple[Axis, ...]:
    """The axes of a parameter with those that an edge gives it."""
    return (*(scope.edging.axes if scope.edging else ()), *own.axes)
