"""Arithmetic on formulas, simplified as it is written: zeros and ones fold, numbers multiply, choices meet."""

from __future__ import annotations

from archc.formula.tree import Apply, Formula, Literal

ZERO = Literal(0.0)
ONE = Literal(1.0)


def is_number(formula: Formula, value: float | None = None) -> bool:
    """Whether the formula is a literal number, and this one where one is given."""
    known = isinstance(formula, Literal) and not isinstance(formula.value, bool)
    return known and (value is None or formula == Literal(value))


def total(*addends: Formula) -> Formula:
    """The sum; zeros are left out, and choices by the same condition are added branch by branch."""
    parts: list[Formula] = []
    constant: int | float = 0
    for addend in _flat("add", addends):
        if isinstance(addend, Literal):
            constant += addend.value
        elif parts and (merged := _meeting(parts[-1], addend)) is not None:
            parts[-1] = merged
        else:
            parts.append(addend)
    if constant or not parts:
        parts.append(Literal(constant) if addends else ZERO)
    match parts:
        case [only]:
            return only
        case [left, Apply("neg", (right,))]:
            return Apply("sub", (left, right))
        case [Apply("neg", (right,)), left]:
            return Apply("sub", (left, right))
    return Apply("add", tuple(parts))


def difference(left: Formula, right: Formula) -> Formula:
    """left - right."""
    return total(left, negative(right))


def negative(formula: Formula) -> Formula:
    """The formula with its sign turned."""
    match formula:
        case Literal(value):
            return Literal(-value) if value else formula
        case Apply("neg", (operand,)):
            return operand
        case Apply("sub", (left, right)):
            return Apply("sub", (right, left))
    return Apply("neg", (formula,))


def times(*factors: Formula) -> Formula:
    """The product; one zero makes it zero, numbers come first as one, and what is divided by is gathered.

    A factor that is a choice between something and zero becomes the choice between the product and zero: what the
    other factors are where it is zero, infinite perhaps, is then of no account.
    """
    number: int | float = 1
    above: list[Formula] = []
    below: list[Formula] = []
    stack = list(reversed(factors))
    choice: Apply | None = None
    while stack:
        match stack.pop():
            case Literal(value):
                number *= value
            case Apply("mul", operands):
                stack.extend(reversed(operands))
            case Apply("neg", (operand,)):
                number = -number
                stack.append(operand)
            case Apply("div", (numerator, denominator)):
                below.append(denominator)
                stack.append(numerator)
            case Apply("where", (_, one, other)) as found if choice is None and (
                is_number(one, 0) or is_number(other, 0)
            ):
                choice = found
            case other:
                above.append(other)
    if number == 0:
        return ZERO
    if choice is not None:
        condition, one, other = choice.operands
        rest = quotient(_multiplied(number, above), _multiplied(1, below))
        return where(condition, times(one, rest), times(other, rest))
    return quotient(_multiplied(number, above), _multiplied(1, below))


def _multiplied(number: float, factors: list[Formula]) -> Formula:
    if not factors:
        return Literal(number)
    if number < 0:
        return negative(_multiplied(-number, factors))
    parts = [*([] if number == 1 else [Literal(number)]), *factors]
    return parts[0] if len(parts) == 1 else Apply("mul", tuple(parts))


def quotient(above: Formula, below: Formula) -> Formula:
    """above / below."""
    if is_number(above, 0):
        return ZERO
    if is_number(below, 1):
        return above
    if isinstance(above, Literal) and isinstance(below, Literal) and below.value:
        return Literal(above.value / below.value)
    if isinstance(above, Apply) and above.function == "neg":
        return negative(quotient(above.operands[0], below))
    return Apply("div", (above, below))


def power(base: Formula, exponent: Formula) -> Formula:
    """base ^ exponent."""
    if is_number(exponent, 0):
        return ONE
    return base if is_number(exponent, 1) else Apply("pow", (base, exponent))


def where(condition: Formula, one: Formula, other: Formula) -> Formula:
    """One where the condition holds, and the other elsewhere."""
    return one if one == other else Apply("where", (condition, one, other))


def applied(word: str, *operands: Formula, attributes: tuple[tuple[str, int | float], ...] = ()) -> Formula:
    """A pointwise function of formulas, in the form that the constructors above give it."""
    match word, operands:
        case "add", _:
            return total(*operands)
        case "sub", (left, right):
            return difference(left, right)
        case "neg", (operand,):
            return negative(operand)
        case "mul", _:
            return times(*operands)
        case "div", (above, below):
            return quotient(above, below)
        case "pow", (base, exponent):
            return power(base, exponent)
        case "where", (condition, one, other):
            return where(condition, one, other)
    return Apply(word, operands, attributes)


def _flat(word: str, operands: tuple[Formula, ...]) -> list[Formula]:
    found: list[Formula] = []
    for operand in operands:
        found.extend(operand.operands if isinstance(operand, Apply) and operand.function == word else (operand,))
    return found


def _meeting(left: Formula, right: Formula) -> Formula | None:
    """The sum of two choices by the same condition as one choice."""
    match left, right:
        case Apply("where", (condition, one, other)), Apply("where", (same, another, last)) if condition == same:
            return where(condition, total(one, another), total(other, last))
    return None
