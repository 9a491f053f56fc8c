"""Functions of generated modules that find all states of a linear recurrence at once: its steps are joined in any
order, since joining them is associative (Blelloch, CMU-CS-90-190, section 1.4.1)."""

from __future__ import annotations

from archc.ops.operation import Routine

JOINED = Routine(
    "_joined",
    '''
def _joined(
    step: abc.Callable[..., list[Tensor]],
    a: abc.Sequence[Tensor],
    b: abc.Sequence[Tensor],
    start: abc.Sequence[Tensor] | None,
    dim: int,
) -> list[Tensor]:
    """h[t] = a[t] h[t - 1] + b[t] along `dim`, counted from the end; before it `start`.

    Numbers come in parts: `step(a, h, b)` is a h + b, or a h where there is no b. Where
    `a` is the same everywhere it has one position.
    """
    length = b[0].shape[dim]
    if length == 0:
        return list(b)
    dims = b[0].dim()
    a = [part[(None,) * (dims - part.dim())] for part in a]
    first = [part.narrow(dim, 0, 1) for part in b]
    if start is None:
        start = [torch.zeros_like(part) for part in first]
    else:
        wide = [part[(None,) * (dims - 1 - part.dim())] for part in start]
        pairs = zip(wide, first, strict=True)
        start = [part.unsqueeze(dim).expand_as(one) for part, one in pairs]

    if torch.compiler.is_exporting():
        # a graph cannot ask how long an axis is, but 31 doublings reach over any
        place = torch.arange(length, device=b[0].device)
        place = place.view(-1, *(1,) * (-dim - 1))
        for reach in (2**power for power in range(31)):
            near, far = ([part.roll(reach, dim) for part in x] for x in (a, b))
            pairs = zip((*a, *b), (*step(a, near), *step(a, far, b)), strict=True)
            joined = [torch.where(place < reach, old, new) for old, new in pairs]
            a, b = joined[: len(a)], joined[len(a) :]
        return step(a, start, b)

    def cut(x: abc.Sequence[Tensor], begin: int, count: int) -> list[Tensor]:
        if x[0].shape[dim] == 1:
            return list(x)
        return [one.narrow(dim, begin, count) for one in x]

    def halves(x: abc.Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        if x[0].shape[dim] == 1:
            return list(x), list(x)
        pairs = [one.unflatten(dim, (-1, 2)) for one in x]
        first = [one.select(dim, 0) for one in pairs]
        return first, [one.select(dim, 1) for one in pairs]

    def solved(
        a: abc.Sequence[Tensor], b: abc.Sequence[Tensor], length: int
    ) -> list[Tensor]:
        if length == 1:
            return step(a, start, b)
        if length % 2:
            most = solved(cut(a, 0, length - 1), cut(b, 0, length - 1), length - 1)
            last, end = cut(most, length - 2, 1), cut(b, length - 1, 1)
            pairs = zip(most, step(cut(a, length - 1, 1), last, end), strict=True)
            return [torch.cat(pair, dim) for pair in pairs]
        (a, c), (b, d) = halves(a), halves(b)
        odd = solved(step(c, a), step(c, b, d), length // 2)
        pairs = zip(start, cut(odd, 0, length // 2 - 1), strict=True)
        before = start if length == 2 else [torch.cat(pair, dim) for pair in pairs]
        pairs = zip(step(a, before, b), odd, strict=True)
        return [torch.stack(pair, dim).flatten(dim - 1, dim) for pair in pairs]

    return solved(a, b, length)
''',
)
"""`_joined(step, a, b, start, dim)`: parts of `a` broadcast against those of `b`, which have the dimension `dim`, and
those of `start` lack it; in halves after Ladner and Fischer (1980), by doubling after Hillis and Steele (1986)."""

_STEP = """def step(
        a: abc.Sequence[Tensor], h: abc.Sequence[Tensor], b: abc.Sequence[Tensor] = ()
    ) -> list[Tensor]:"""

RECURRENCE = Routine(
    "_recurrence",
    '''
def _recurrence(a: Tensor, b: Tensor, dim: int, start: Tensor | None = None) -> Tensor:
    """h[t] = a[t] * h[t - 1] + b[t] along `dim`, counted from the end."""

    STEP
        return [torch.addcmul(*b, *a, *h) if b else a[0] * h[0]]

    return _joined(step, (a,), (b,), None if start is None else (start,), dim)[0]
'''.replace("STEP", _STEP),
    (JOINED,),
)

COMPLEX_RECURRENCE = Routine(
    "_complex_recurrence",
    '''
def _complex_recurrence(
    a: Tensor, b: Tensor, dim: int, start: Tensor | None = None
) -> Tensor:
    """h[t] = a[t] * h[t - 1] + b[t] along `dim`, counted from the end and the last left
    out: that holds the real and the imaginary part."""

    STEP
        (p, q), (x, y) = a, h
        u, v = [torch.addcmul(o, p, i) for o, i in zip(b, h)] or [p * x, p * y]
        return [torch.addcmul(u, q, y, value=-1), torch.addcmul(v, q, x)]

    first = None if start is None else start.unbind(-1)
    return torch.stack(_joined(step, a.unbind(-1), b.unbind(-1), first, dim), -1)
'''.replace("STEP", _STEP),
    (JOINED,),
)

MATRIX_RECURRENCE = Routine(
    "_matrix_recurrence",
    '''
def _matrix_recurrence(a: Tensor, b: Tensor, dim: int, start: Tensor) -> Tensor:
    """h[t] = a[t] @ h[t - 1] + b[t] along `dim`, counted from the end."""

    STEP
        return [a[0] @ h[0] + b[0] if b else a[0] @ h[0]]

    return _joined(step, (a,), (b,), (start,), dim)[0]
'''.replace("STEP", _STEP),
    (JOINED,),
)

SMALL_MATRIX_RECURRENCE = Routine(
    "_small_matrix_recurrence",
    '''
def _small_matrix_recurrence(a: Tensor, b: Tensor, dim: int, start: Tensor) -> Tensor:
    """h[t] = a[t] @ h[t - 1] + b[t] along `dim`, counted from the end, by entries of
    the matrices: a library multiplies many small ones one by one."""
    size = a.shape[-1]

    STEP
        width = len(h) // size

        def entry(row: int, column: int) -> Tensor:
            p, x = a[row * size : (row + 1) * size], h[column::width]
            place = row * width + column
            total = torch.addcmul(b[place], p[0], x[0]) if b else p[0] * x[0]
            for one, other in zip(p[1:], x[1:], strict=True):
                total = torch.addcmul(total, one, other)
            return total

        return [entry(row, column) for row in range(size) for column in range(width)]

    entries = [one for row in a.unbind(-2) for one in row.split(1, -1)]
    h = _joined(step, entries, b.unbind(-2), start.unbind(-2), dim + 1)
    return torch.stack(h, -2)
'''.replace("STEP", _STEP),
    (JOINED,),
)
