"""Functions of generated modules that join every entry along an axis with all before it, where the joining is
associative: what a linear recurrence comes down to (Blelloch, CMU-CS-90-190, section 1.4.1)."""

from __future__ import annotations

from archc.ops.operation import Routine

PREFIXES = Routine(
    "_prefixes",
    '''
def _prefixes(
    combine: Callable[..., Sequence[Tensor]], parts: Sequence[Tensor], dim: int
) -> Sequence[Tensor]:
    """Every entry along `dim`, counted from the end, combined with all before it.

    An entry is one position of all the parts; `combine(earlier, later)` is associative.
    """
    length = parts[0].shape[dim]
    if torch.compiler.is_exporting():
        # a graph cannot ask how long an axis is, but 31 doublings reach over any
        place = torch.arange(length, device=parts[0].device)
        place = place.view(-1, *(1,) * (-dim - 1))
        for step in (2**power for power in range(31)):
            earlier = tuple(part.roll(step, dim) for part in parts)
            pairs = zip(parts, combine(earlier, parts), strict=True)
            parts = tuple(torch.where(place < step, part, new) for part, new in pairs)
        return parts

    def halved(parts: Sequence[Tensor], length: int) -> Sequence[Tensor]:
        if length == 1:
            return parts
        half = length // 2
        first = tuple(part.unflatten(dim, (half, 2)).select(dim, 0) for part in parts)
        second = tuple(part.unflatten(dim, (half, 2)).select(dim, 1) for part in parts)
        odd = halved(combine(first, second), half)
        before = tuple(part.narrow(dim, 0, half - 1) for part in odd)
        after = tuple(part.narrow(dim, 1, half - 1) for part in first)
        rest = zip(first, combine(before, after), strict=True)
        even = (torch.cat((part.narrow(dim, 0, 1), new), dim) for part, new in rest)
        both = (torch.stack(pair, dim) for pair in zip(even, odd, strict=True))
        return tuple(part.flatten(dim - 1, dim) for part in both)

    whole = 1
    while whole < length:
        whole = 2 * whole
    sides = (0, 0) * (-dim - 1) + (0, whole - length)
    found = halved(tuple(F.pad(part, sides) for part in parts), whole)
    return tuple(part.narrow(dim, 0, length) for part in found)
''',
)
"""`_prefixes(combine, parts, dim)`: an entry is a tuple of tensors that broadcast against each other and all have the
dimension `dim`; in halves after Ladner and Fischer (1980), by doubling after Hillis and Steele (1986)."""

RECURRENCE = Routine(
    "_recurrence",
    '''
def _recurrence(a: Tensor, b: Tensor, dim: int, start: Tensor | None = None) -> Tensor:
    """h[t] = a[t] * h[t - 1] + b[t] along `dim`, counted from the end."""

    def composed(earlier: tuple[Tensor, ...], later: tuple[Tensor, ...]) -> tuple:
        (a, b), (c, d) = earlier, later
        return c * a, c * b + d

    scale, shift = _prefixes(composed, (a, b), dim)
    return shift if start is None else scale * start + shift
''',
    (PREFIXES,),
)

COMPLEX_RECURRENCE = Routine(
    "_complex_recurrence",
    '''
def _complex_recurrence(
    a: Tensor, b: Tensor, dim: int, start: Tensor | None = None
) -> Tensor:
    """h[t] = a[t] * h[t - 1] + b[t] along `dim`, counted from the end and the last left
    out: that holds the real and the imaginary part."""

    def composed(earlier: tuple[Tensor, ...], later: tuple[Tensor, ...]) -> tuple:
        (p, q, x, y), (r, s, u, v) = earlier, later
        return r * p - s * q, r * q + s * p, r * x - s * y + u, r * y + s * x + v

    p, q, x, y = _prefixes(composed, (*a.unbind(-1), *b.unbind(-1)), dim)
    if start is not None:
        u, v = start.unbind(-1)
        x, y = x + p * u - q * v, y + p * v + q * u
    return torch.stack((x, y), -1)
''',
    (PREFIXES,),
)
