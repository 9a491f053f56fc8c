"""Normal forms of formulas: affine index expressions, products of factors, sums of addends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from archc.formula.algebra import difference, is_number, times, total
from archc.formula.tree import Apply, Formula, Literal, Position, Reduce, SizeValue
from archc.types.size import Size
from archc.types.tensor_type import Axis

ONE = Size.of(1)
ZERO = Size.of(0)


@dataclass(frozen=True)
class Affine:
    """offset + sum of factor * position, by axis; no factor is zero."""

    factors: Mapping[str, Size]
    offset: Size

    @property
    def constant(self) -> Size | None:
        """The size this is where no position occurs."""
        return None if self.factors else self.offset

    def plus(self, other: Affine) -> Affine:
        """The sum of two affine expressions."""
        factors = dict(self.factors)
        for axis, factor in other.factors.items():
            factors[axis] = factors.get(axis, ZERO) + factor
        return Affine({axis: factor for axis, factor in factors.items() if factor != ZERO}, self.offset + other.offset)

    def times(self, factor: Size) -> Affine:
        """This expression scaled by a size."""
        if factor == ZERO:
            return Affine({}, ZERO)
        return Affine({axis: own * factor for axis, own in self.factors.items()}, self.offset * factor)

    @property
    def formula(self) -> Formula:
        """The expression written out, what is subtracted last."""
        parts = [(factor, Position(axis)) for axis, factor in self.factors.items()]
        added = [times(_number(factor), position) for factor, position in parts if not _is_negative(factor)]
        taken = [times(_number(-factor), position) for factor, position in parts if _is_negative(factor)]
        (taken if _is_negative(self.offset) else added).append(
            _number(-self.offset if _is_negative(self.offset) else self.offset)
        )
        return difference(total(*(added or (Literal(0),))), total(*taken)) if taken else total(*added)


def _number(size: Size) -> Formula:
    return SizeValue(size) if size.constant is None else Literal(size.constant)


def _is_negative(size: Size) -> bool:
    """Whether every term is subtracted."""
    return bool(size.terms) and all(factor < 0 for _, factor in size.terms)


def affine(formula: Formula) -> Affine | None:
    """The affine form of an integer formula, or None where it has none."""
    match formula:
        case Position(axis):
            return Affine({axis: ONE}, ZERO)
        case SizeValue(size):
            return Affine({}, size)
        case Literal(value):
            whole = isinstance(value, int) and not isinstance(value, bool)
            return Affine({}, Size.of(int(value))) if whole else None
        case Apply(word, operands):
            parts = [affine(operand) for operand in operands]
            known = [part for part in parts if part is not None]
            return _combine(word, known) if len(known) == len(parts) else None
    return None


def _combine(word: str, parts: list[Affine]) -> Affine | None:
    constants = [part.constant for part in parts]
    match word:
        case "add":
            total = Affine({}, ZERO)
            for part in parts:
                total = total.plus(part)
            return total
        case "sub":
            return parts[0].plus(parts[1].times(Size.of(-1)))
        case "neg":
            return parts[0].times(Size.of(-1))
        case "mul":
            total = Affine({}, ONE)
            for part, constant in zip(parts, constants, strict=True):
                if constant is not None:
                    total = total.times(constant)
                elif total.constant is not None:
                    total = part.times(total.constant)
                else:
                    return None
            return total
        case "floordiv" | "mod" if constants[1] == ONE:
            return parts[0] if word == "floordiv" else Affine({}, ZERO)
        case "floordiv" | "mod" if constants[0] is not None and constants[1] is not None:
            return Affine({}, constants[0] // constants[1] if word == "floordiv" else constants[0] % constants[1])
    return None


def size_of(formula: Formula) -> Size | None:
    """The size that an integer formula without positions and reads denotes."""
    found = affine(formula)
    return None if found is None else found.constant


def congruences(condition: Formula) -> list[tuple[Affine, Size]] | None:
    """The sums of positions that are to be multiples of sizes, `sum % size == 0`, or None for another condition."""
    found: list[tuple[Affine, Size]] = []
    stack = [condition]
    while stack:
        match stack.pop():
            case Apply("and", operands):
                stack.extend(operands)
            case Apply("eq", (Apply("mod", (inner, modulus)), zero)) if size_of(zero) == ZERO:
                form, size = affine(inner), size_of(modulus)
                if form is None or size is None or not form.factors:
                    return None
                found.extend(() if size == ONE else ((form, size),))
            case _:
                return None
    return found


def is_scalar(formula: Formula) -> bool:
    """Whether the formula is a number known without any tensor."""
    return not formula.free and not formula.reads and not isinstance(formula, Reduce)


@dataclass(frozen=True)
class Factor:
    """A factor of a product, or what the product is divided by."""

    formula: Formula
    inverse: bool = False


@dataclass(frozen=True)
class Product:
    """scalars * factors, summed over axes that nested sums bind, where the `conditions` of those sums and of choices
    hold; `negative` where its sign is turned."""

    scalars: tuple[Factor, ...]
    factors: tuple[Factor, ...]
    axes: tuple[Axis, ...]
    negative: bool
    conditions: tuple[Formula, ...] = ()


def product(formula: Formula) -> Product:
    """The factors of a formula: nested products, quotients and negations flattened, sums over products merged."""
    scalars: list[Factor] = []
    factors: list[Factor] = []
    axes: list[Axis] = []
    conditions: list[Formula] = []
    seen: set[Axis] = set()
    negative = False
    stack = [Factor(formula)]
    while stack:
        factor = stack.pop()
        part = factor.formula
        if is_scalar(part):
            if not (isinstance(part, Literal) and part.value == 1):
                scalars.append(factor)
            continue
        match part:
            case Apply("mul", operands):
                stack.extend(Factor(operand, factor.inverse) for operand in reversed(operands))
            case Apply("div", (above, below)):
                stack.append(Factor(below, not factor.inverse))
                stack.append(Factor(above, factor.inverse))
            case Apply("neg", (operand,)):
                negative = not negative
                stack.append(Factor(operand, factor.inverse))
            case Reduce("sum", bound, body, condition) if (
                not factor.inverse
                and _is_product(body)
                and seen.isdisjoint(bound)
                and (condition is None or congruences(condition) is not None)
            ):
                # a sum that is squared occurs twice with the same bound axes: only one of the two may merge
                seen.update(bound)
                axes.extend(bound)
                conditions.extend(() if condition is None else (condition,))
                stack.append(Factor(body))
            case _:
                factors.append(factor)
    return Product(tuple(scalars), tuple(factors), tuple(axes), negative, tuple(conditions))


def _is_product(body: Formula) -> bool:
    """Whether a nested sum is of a product, which contracts together with what surrounds it."""
    return (isinstance(body, Apply) and body.function in ("mul", "neg", "div", "add", "sub")) or isinstance(
        body, Reduce
    )


def products(formula: Formula) -> list[Product]:
    """The products whose sum a formula is: the addends of a sum or difference, the branches of a choice that are not
    zero, each where its condition holds."""
    if isinstance(formula, Apply) and formula.function == "where":
        condition, one, other = formula.operands
        branches = ((condition, one), (Apply("not", (condition,)), other))
        return [_where(product(branch), holds) for holds, branch in branches if not is_number(branch, 0)]
    found: list[Product] = []
    stack = [(False, formula)]
    while stack:
        negative, part = stack.pop()
        match part:
            case Apply("add", operands):
                stack.extend((negative, operand) for operand in reversed(operands))
            case Apply("sub", (left, right)):
                stack.append((not negative, right))
                stack.append((negative, left))
            case Apply("neg", (operand,)):
                stack.append((not negative, operand))
            case _:
                addend = product(part)
                found.append(replace(addend, negative=addend.negative != negative))
    return found


def _where(part: Product, condition: Formula) -> Product:
    return replace(part, conditions=(condition, *part.conditions))
