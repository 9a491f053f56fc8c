"""How a loop is to be evaluated: `using newton(iterations = 3)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archc.base.diagnostic import Fault
from archc.base.nearest import nearest
from archc.elaborate import faults
from archc.elaborate.extent import listed, number_of
from archc.elaborate.scope import Scope
from archc.ir.node import Solver
from archc.syntax import tree


@dataclass(frozen=True)
class Choice:
    """A number that a solver takes: what it is where nothing is said, and the least it may be; a whole number where
    both are."""

    usual: int | float
    least: int | float


_FIXPOINT = {
    "tolerance": Choice(1e-5, 0.0),
    "limit": Choice(50, 1),
    "gradient_tolerance": Choice(1e-5, 0.0),
    "gradient_limit": Choice(50, 1),
}
SCAN: Mapping[str, Mapping[str, Choice]] = {
    "associative": {},
    "newton": {"iterations": Choice(3, 1), "tolerance": Choice(1e-4, 0.0)},
}
FIXPOINT: Mapping[str, Mapping[str, Choice]] = {
    "plain": _FIXPOINT,
    "anderson": {**_FIXPOINT, "memory": Choice(5, 1), "mixing": Choice(1.0, 0.0)},
}


def solver_of(call: tree.Call, known: Mapping[str, Mapping[str, Choice]], scope: Scope) -> Solver:
    """The solver that a loop asks for, every number given.

    Raises Fault E0201 for an unknown one, E0202 for an argument that it does not take, E0204 for a number out of range.
    """
    word = call.function.text
    if word not in known:
        near = nearest(word, known)
        help = f"did you mean `{near}`?" if near else f"it is one of {listed(known)}"
        raise Fault(faults.UnknownName(call.function.span, name=word, help=help))
    choices = known[word]
    numbers = {name: choice.usual for name, choice in choices.items()}
    for argument in call.arguments:
        choice = choices.get(argument.name or "")
        if choice is None or argument.name is None:
            has = f"it has {listed(choices)}" if choices else "it takes none"
            span = argument.span.word(argument.name) if argument.name else argument.span
            raise Fault(faults.UnknownArgument(span, callee=word, name=argument.name or "", help=has))
        number = number_of(argument.value, scope, argument.name, word)
        whole = isinstance(choice.usual, int)
        if number < choice.least or (whole and not isinstance(number, int)):
            expected = f"a {'whole ' if whole else ''}number, at least {choice.least}"
            raise Fault(faults.WrongArgument(argument.span, name=argument.name, callee=word, expected=expected))
        numbers[argument.name] = number
        paired = f"gradient_{argument.name}"
        if paired in numbers and paired not in {one.name for one in call.arguments}:
            numbers[paired] = number
    return Solver(word, tuple(numbers.items()))
