"""The operations on sizes that are not polynomial: quotients, remainders, powers, minima and maxima.

Each gives a polynomial where an identity of the integers allows it, and a polynomial with a new atom otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import gcd, prod
from typing import Literal

from archc.types.limits import MAX_DEGREE, SizeError, SizeOverflow, checked_power
from archc.types.polynomial import ONE, ZERO, Atom, Monomial, Size, bounded, place, power_parts

LONGEST_DIVISION = 512


def divided(monomial: Monomial, by: Monomial) -> Monomial | None:
    """The monomial that times `by` gives `monomial`, if there is one."""
    if not by:
        return monomial
    powers = dict(monomial)
    for atom, power in by:
        left = powers.get(atom, 0) - power
        if left < 0:
            return None
        if left:
            powers[atom] = left
        else:
            del powers[atom]
    return tuple(powers.items())


def common(monomials: Iterable[Monomial]) -> Monomial:
    """The greatest common divisor of monomials."""
    first, *others = monomials
    powers = dict(first)
    for other in others:
        if not powers:
            break
        there = dict(other)
        powers = {atom: min(power, there[atom]) for atom, power in powers.items() if atom in there}
    return tuple(powers.items())


def polynomial_division(size: Size, by: Size) -> tuple[Size, Size]:
    """(quotient, rest) with size = quotient * by + rest and no term of the rest divisible by the leading term of `by`.

    The leading factor of `by` must be positive; factors of the rest are then in [0, it) where its monomial divides.
    """
    lead, factor = by.terms[0]
    quotient: list[tuple[Monomial, int]] = []
    if len(by.terms) == 1:
        rest: list[tuple[Monomial, int]] = []
        for monomial, count in size.terms:
            part = divided(monomial, lead)
            whole, left = divmod(count, factor) if part is not None else (0, count)
            if part is not None and whole:
                quotient.append((part, whole))
            rest.append((monomial, left))
        return Size.sum_of(quotient), Size.sum_of(rest)
    whole_quotient, rest_size, at = ZERO, size, 0
    for _ in range(LONGEST_DIVISION):
        if at >= len(rest_size.terms):
            return whole_quotient, rest_size
        monomial, count = rest_size.terms[at]
        part = divided(monomial, lead)
        if part is None or not count // factor:
            at += 1
            continue
        step = Size.sum_of([(part, count // factor)])
        whole_quotient, rest_size = whole_quotient + step, rest_size - step * by
    return ZERO, size


def _split(size: Size, by: Size) -> tuple[Size, Size]:
    """Polynomial division where it makes the rest shorter; h // (h + 1) is better left as it is."""
    quotient, rest = polynomial_division(size, by)
    return (quotient, rest) if len(by.terms) == 1 or len(rest.terms) < len(size.terms) else (ZERO, size)


def _shared(size: Size, by: Size) -> tuple[Size, Size, Size]:
    """The greatest common factor (an integer times a monomial) of two sizes, and both without it."""
    factor = gcd(size.content, by.content)
    monomial = common(monomial for monomial, _ in (*size.terms, *by.terms))
    if factor == 1 and not monomial:
        return ONE, size, by

    def without(whole: Size) -> Size:
        return Size.sum_of((divided(each, monomial) or (), count // factor) for each, count in whole.terms)

    return Size.sum_of([(monomial, factor)]), without(size), without(by)


def constant_range(size: Size) -> tuple[int, int] | None:
    """Bounds of a size that hold for all integers, from remainders by constants alone."""
    low = high = 0
    for monomial, factor in size.terms:
        if not monomial:
            low, high = low + factor, high + factor
            continue
        (atom, power), *others = monomial
        top = atom.arguments[1].constant if atom.kind == "%" else None
        if others or power != 1 or top is None or top < 1:
            return None
        low, high = low + min(0, factor * (top - 1)), high + max(0, factor * (top - 1))
    return low, high


def _stays_below(size: Size, by: Size) -> bool:
    """Whether size // by is 0 whatever the symbols are."""
    if len(size.terms) == 1 and size.terms[0][1] == 1 and len(size.terms[0][0]) == 1:
        atom, power = size.terms[0][0][0]
        if power == 1 and atom.kind == "%" and atom.arguments[1] == by:
            return True
    bounds = constant_range(size) if by.constant is not None else None
    return bounds is not None and bounds[0] >= 0 and bounds[1] < by.offset


def _step(size: Size, by: Size) -> int:
    """The greatest integer that divides `by`, a constant, and every factor of `size` but the constant one."""
    return gcd(by.constant or 1, *(factor for monomial, factor in size.terms if monomial))


@lru_cache(maxsize=8192)
def floor_quotient(size: Size, by: Size) -> Size:
    """size // by; raises SizeError where `by` is zero."""
    if not by.terms:
        raise SizeError(f"{size} is divided by zero")
    if size.constant is not None and by.constant is not None:
        return Size.of(size.constant // by.constant)
    if not size.terms:
        return ZERO
    if by.terms[0][1] < 0:
        return floor_quotient(-size, -by)
    _, size, by = _shared(size, by)
    whole, rest = _split(size, by)
    if not rest.terms or _stays_below(rest, by):
        return whole
    if _shared(rest, by)[0] != ONE:
        return whole + floor_quotient(rest, by)
    step = _step(rest, by)
    if step > 1:
        # Floors nest: p // (g * q) = (p // g) // q, and only the constant of p leaves a rest when divided by g.
        return whole + floor_quotient(_floored(rest, step), Size.of(by.offset // step))
    inner = _inner_quotient(rest, by)
    if inner is not None:
        top, bottom = inner.arguments
        return whole + floor_quotient(top + bottom * (rest - Size.of_atom(inner)), bottom * by)
    return whole + bounded(Size.of_atom(Atom("//", "", (rest, by))))


def _floored(size: Size, step: int) -> Size:
    return Size.sum_of((monomial, factor // step) for monomial, factor in size.terms)


def _inner_quotient(size: Size, by: Size) -> Atom | None:
    """The quotient a in (a + r) // c that can be merged with the division by the constant c."""
    plain = [monomial[0] for monomial, factor in size.terms if factor == 1 and len(monomial) == 1]
    found = [atom for atom, power in plain if power == 1 and atom.kind == "//"]
    if by.constant is None or len(found) != 1:
        return None
    return found[0] if len(size.terms) == 1 or found[0].arguments[1].constant is not None else None


@lru_cache(maxsize=8192)
def remainder(size: Size, by: Size) -> Size:
    """size % by; raises SizeError where `by` is zero."""
    if not by.terms:
        raise SizeError(f"{size} is divided by zero")
    if size.constant is not None and by.constant is not None:
        return Size.of(size.constant % by.constant)
    if not size.terms:
        return ZERO
    if by.terms[0][1] < 0:
        return -remainder(-size, -by)
    factor, size, by = _shared(size, by)
    if factor != ONE:
        return factor * remainder(size, by)
    rest = _split(_without_remainders(size, by), by)[1]
    if not rest.terms or _stays_below(rest, by):
        return rest
    if _shared(rest, by)[0] != ONE:
        return remainder(rest, by)
    step = _step(rest, by)
    if step > 1:
        return step * remainder(_floored(rest, step), Size.of(by.offset // step)) + rest.offset % step
    return bounded(Size.of_atom(Atom("%", "", (rest, by))))


def _without_remainders(size: Size, by: Size) -> Size:
    """Replaces f * (p % s) by f * p where `by` divides f * s, which leaves size % by as it is."""
    total = ZERO
    for monomial, factor in size.terms:
        product = Size(((monomial, factor),))
        for atom, power in monomial:
            if atom.kind == "%" and power == 1:
                outer = Size.sum_of([(divided(monomial, ((atom, 1),)) or (), factor)])
                if not polynomial_division(outer * atom.arguments[1], by)[1].terms:
                    product = _without_remainders(outer * atom.arguments[0], by)
                    break
        total = total + product
    return total


def extreme(kind: Literal["min", "max"], first: Size, second: Size) -> Size:
    """The minimum or maximum of two sizes; those whose difference has a known sign leave one of them."""
    kept: list[Size] = []
    for new in (*_parts(kind, first), *_parts(kind, second)):
        for at, old in enumerate(kept):
            bounds = constant_range(new - old)
            if bounds is not None and (bounds[0] >= 0 or bounds[1] <= 0):
                if (bounds[1] <= 0) == (kind == "min"):
                    kept[at] = new
                break
        else:
            kept.append(new)
    kept = sorted(dict.fromkeys(kept), key=lambda size: [place(term) for term in size.terms])
    return kept[0] if len(kept) == 1 else bounded(Size.of_atom(Atom(kind, "", tuple(kept))))


def _parts(kind: Literal["min", "max"], size: Size) -> tuple[Size, ...]:
    if len(size.atoms) == 1 and size.atoms[0].kind == kind and size.terms == Size.of_atom(size.atoms[0]).terms:
        return size.atoms[0].arguments
    return (size,)


def power(base: Size, exponent: Size) -> Size:
    """base ^ exponent; raises SizeError where both are symbolic or the exponent is a negative integer."""
    if exponent.constant is not None:
        count = exponent.constant
        if base.constant is not None:
            return Size.of(checked_power(base.constant, count))
        if count < 0:
            raise SizeError(f"the exponent {count} is negative")
        if count > MAX_DEGREE and not _is_power_of_constant(base):
            raise SizeOverflow(f"({base})^{count} has a degree above {MAX_DEGREE}")
        if count > MAX_DEGREE:
            base_root, inner = base.atoms[0].arguments
            return checked_power(base.content, count) * base_root ** (inner * count)
        return prod([base] * count, start=ONE)
    if base.constant is None:
        raise SizeError(f"({base})^({exponent}): a symbolic exponent needs a constant base")
    if base.constant < 1:
        raise SizeError(f"({base})^({exponent}): a symbolic exponent needs a positive base")
    root, count = _root(base.constant)
    if root == 1:
        return ONE
    merged, outside = power_parts(root, exponent * count)
    return Size.sum_of([(((merged, 1),), outside)]) if merged is not None else Size.of(outside)


def _is_power_of_constant(size: Size) -> bool:
    return len(size.terms) == 1 and size.terms[0][1] > 0 and [atom.kind for atom in size.atoms] == ["^"]


@lru_cache(maxsize=256)
def _root(base: int) -> tuple[int, int]:
    """The smallest r and its n with r^n = base."""
    for count in range(base.bit_length(), 1, -1):
        root = round(base ** (1 / count))
        for near in (root - 1, root, root + 1):
            if near > 1 and near**count == base:
                return near, count
    return base, 1
