"""Bounds of sizes, checked before the work is done: no specification can make a size that is expensive to hold."""

from __future__ import annotations

MAX_BITS = 53
MAX_TERMS = 256
MAX_DEGREE = 8
MAX_NESTING = 48
MAX_WEIGHT = 4096


class SizeError(ValueError):
    """A size that has no value: a division by zero, a negative exponent, a symbol without a number."""


class SizeOverflow(SizeError):
    """A size that is too large to be held: its integers, its terms, its degree or its nesting."""


def checked(value: int) -> int:
    """The integer itself; raises SizeOverflow where it has more than 53 bits."""
    if value.bit_length() > MAX_BITS:
        raise SizeOverflow(f"an integer of {value.bit_length()} bits, where {MAX_BITS} are the most")
    return value


def checked_power(base: int, exponent: int) -> int:
    """`base ** exponent`, refused before it is computed where it would have more than 53 bits."""
    if exponent < 0:
        raise SizeError(f"the exponent {exponent} is negative")
    if abs(base) < 2:
        return base if exponent % 2 or (exponent and base == 0) else 1
    if (abs(base).bit_length() - 1) * exponent > MAX_BITS:
        raise SizeOverflow(f"{base}^{exponent} has more than {MAX_BITS} bits")
    return checked(int(base**exponent))
