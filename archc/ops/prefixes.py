"""Functions of generated modules that join every entry along an axis with all before it, where the joining is
associative: what a linear recurrence comes down to (Blelloch, CMU-CS-90-190, section 1.4.1)."""

from __future__ import annotations

from archc.ops.operation import Routine

_HALVES = Routine(
    "_by_halves",
    '''
def _by_halves(
    combine: Callable[..., Sequence[Tensor]], parts: Sequence[Tensor], dim: int
) -> Sequence[Tensor]:
    """`_prefixes` of a power of two of entries: those of pairs of entries first, then
    those between (Ladner and Fischer, 1980)."""
    half = parts[0].shape[dim] // 2
    if half == 0:
        return parts
    first = tuple(part.unflatten(dim, (half, 2)).select(dim, 0) for part in parts)
    second = tuple(part.unflatten(dim, (half, 2)).select(dim, 1) for part in parts)
    odd = _by_halves(combine, combine(first, second), dim)
    before = tuple(part.narrow(dim, 0, half - 1) for part in odd)
    after = tuple(part.narrow(dim, 1, half - 1) for part in first)
    rest = zip(first, combine(before, after))
    even = (torch.cat((part.narrow(dim, 0, 1), others), dim) for part, others in rest)
    both = (torch.stack(pair, dim) for pair in zip(even, odd))
    return tuple(part.flatten(dim - 1, dim) for part in both)
''',
)

PREFIXES = Routine(
    "_prefixes",
    '''
def _prefixes(
    combine: Callable[..., Sequence[Tensor]], parts: Sequence[Tensor], dim: int
) -> Sequence[Tensor]:
    """Every entry along `dim`, counted from the end, combined with all before it.

    An exported graph cannot ask how long an axis is: there it takes 31 doublings
    (Hillis and Steele, 1986).
    """
    length = parts[0].shape[dim]
    if torch.compiler.is_exporting():
        place = torch.arange(length, device=parts[0].device)
        place = place.view(-1, *(1,) * (-dim - 1))
        for step in (2**power for power in range(31)):
            earlier = tuple(part.roll(step, dim) for part in parts)
            pairs = zip(parts, combine(earlier, parts))
            parts = tuple(torch.where(place < step, part, new) for part, new in pairs)
        return parts
    whole = 1
    while whole < length:
        whole = 2 * whole
    sides = (0, 0) * (-dim - 1) + (0, whole - length)
    padded = tuple(F.pad(part, sides) for part in parts)
    found = _by_halves(combine, padded, dim)
    return tuple(part.narrow(dim, 0, length) for part in found)
''',
    (_HALVES,),
)
"""`_prefixes(combine, parts, dim)`: an entry is a tuple of tensors that broadcast against each other and all have the
dimension `dim`, and `combine(earlier, later)` joins runs of them."""

AFFINE = Routine(
    "_affine",
    '''
def _affine(earlier: Sequence[Tensor], later: Sequence[Tensor]) -> Sequence[Tensor]:
    """h -> a h + b, followed by h -> c h + d."""
    (a, b), (c, d) = earlier, later
    return c * a, c * b + d
''',
)

COMPLEX_AFFINE = Routine(
    "_complex_affine",
    '''
def _complex_affine(
    earlier: Sequence[Tensor], later: Sequence[Tensor]
) -> Sequence[Tensor]:
    """h -> (p + i q) h + x + i y, followed by h -> (r + i s) h + u + i v."""
    (p, q, x, y), (r, s, u, v) = earlier, later
    return r * p - s * q, r * q + s * p, r * x - s * y + u, r * y + s * x + v
''',
)
