"""Functions of generated modules for the discrete Fourier transform, which inductor cannot compile on complex numbers.

In eager code they call torch.fft. On one thread of an Intel Xeon (AVX512, MKL), for 10^5 to 4 10^6 numbers at lengths
of 32 to 4096, products of matrices take 1.3 to 37 times as long, and where inductor compiles them 1.2 to 19 times
(`rfft`; `fft` up to 8, and 15 for the prime 1021), with gradients 0.6 to 4 times (12 for 1021). So they are for
compiled code alone, which has no complex number in it then and joins transforms to what stands around them; each
length is compiled anew. An exported graph keeps torch.fft as well: its axes stay open, and a length that is not known
has no factors.

A length p q takes transforms of length q and p with turns between them (Cooley and Tukey 1965; as four steps, Bailey
1990), a long prime length a convolution of any greater length (Bluestein 1970).
"""

from __future__ import annotations

from archc.ops.operation import Routine

_ROTATIONS = Routine(
    "_rotations",
    '''
def _rotations(k: Tensor, n: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of 2 pi k / n in the precision of `x`; whole turns are left out
    while k is a whole number, exactly."""
    # between half turns rounding weighs less; on whole numbers inductor gets this wrong
    turn = (k % n).to(x.dtype)
    angle = 2 * math.pi / n * torch.where(2 * turn > n, turn - n, turn)
    # layouts of their own make these tables: no kernel works out their entries anew
    cos, sin = angle.cos(), angle.sin()
    shape, stride = k.shape, k.stride()
    return cos.as_strided(shape, stride), sin.as_strided(shape, stride)
''',
)

_ROTATED = Routine(
    "_rotated",
    '''
def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The product of x[..., part, k] and cos + i sin; one part alone is real."""
    a = x[..., 0, :]
    if x.shape[-2] == 1:
        return torch.stack((a * cos, a * sin), -2)
    b = x[..., 1, :]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -2)
''',
)

_LINE = Routine(
    "_dft_line",
    '''
def _dft_line(x: Tensor, n: int, count: int, sign: int, parts: int) -> Tensor:
    """sum t: x[..., part, t] e^(sign 2 pi i k t / n) for k = 0 ... count - 1.

    One part alone is real; the result has the first `parts`. Where `x` ends before n it
    is 0 from there on.
    """
    # the length of a range is a number for a tracer too, not a symbol without factors
    n, count, given = (len(range(size)) for size in (n, count, x.shape[-1]))
    device = x.device
    p = math.isqrt(n)
    while n % p:
        p = p - 1
    q = n // p

    if n <= 64 or (p == 1 and n <= 128):
        k, t = torch.arange(count, device=device), torch.arange(given, device=device)
        cos, sin = _rotations(sign * t[:, None] * k, n, x)
        table = torch.stack((cos, sin, -sin, cos)).unflatten(0, (2, 2))
        table = table[: x.shape[-2], :parts].transpose(1, 2)
        y = x.flatten(-2) @ table.flatten(2).flatten(0, 1)
        return y.unflatten(-1, (parts, count))

    if p == 1:
        # 2 k t = k k + t t - (k - t) (k - t): a convolution with the last of the three
        m = 1 << (given + count - 2).bit_length()
        place = torch.arange(1 - given, count, device=device)
        cos, sin = _rotations(sign * place * place, 2 * n, x)
        x = _rotated(x, cos[:given].flip(0), sin[:given].flip(0))
        signals = x, torch.stack((cos, -sin))
        x, waves = (_dft_line(one, m, m, -1, 2) for one in signals)
        x = _dft_line(_rotated(x, *waves), m, given + count - 1, 1, 2)
        y = _rotated(x[..., given - 1 :], cos[given - 1 :], sin[given - 1 :])
        return y[..., :parts, :] / m

    # t = q a + b and k = c + p d: first a turns into c, then b into d
    x = F.pad(x, (0, -given % q)).unflatten(-1, (-1, q)).movedim(-1, -3)
    x = _dft_line(x, p, p, sign, 2)
    b, c = torch.arange(q, device=device), torch.arange(p, device=device)
    x = _rotated(x, *_rotations(sign * b[:, None] * c, n, x)).transpose(-3, -1)
    x = _dft_line(x, q, -(-count // p), sign, parts)
    return x.movedim(-3, -1).flatten(-2)[..., :count]
''',
    (_ROTATIONS, _ROTATED),
)

_DFT = Routine(
    "_dft",
    '''
def _dft(x: Tensor, dim: int, n: int, count: int, sign: int, parts: int = 2) -> Tensor:
    """`_dft_line` along `dim`, counted from the end; the parts come after all dims."""
    x = x.movedim((-1, dim - 1), (-2, -1))
    with torch.autocast(x.device.type, enabled=False):
        x = _dft_line(x, n, count, sign, parts)
    return x.movedim((-2, -1), (-1, dim - 1))
''',
    (_LINE,),
)

_EAGER = "if torch.compiler.is_exporting() or not torch.compiler.is_compiling():"

FFTN = Routine(
    "_fftn",
    '''
def _fftn(x: Tensor, dims: abc.Sequence[int]) -> Tensor:
    """`torch.fft.fftn` of x[..., part]; `dims` count from the end, without part."""
    EAGER
        z = torch.complex(x[..., 0], x[..., 1])
        return torch.view_as_real(torch.fft.fftn(z, dim=dims))
    for dim in dims:
        n = x.shape[dim - 1]
        x = _dft(x, dim, n, n, -1)
    return x
'''.replace("EAGER", _EAGER),
    (_DFT,),
)

IFFTN = Routine(
    "_ifftn",
    '''
def _ifftn(x: Tensor, dims: abc.Sequence[int]) -> Tensor:
    """`torch.fft.ifftn` of x[..., part]; `dims` count from the end, without part."""
    EAGER
        z = torch.complex(x[..., 0], x[..., 1])
        return torch.view_as_real(torch.fft.ifftn(z, dim=dims))
    for dim in dims:
        n = x.shape[dim - 1]
        x = _dft(x, dim, n, n, 1) / n
    return x
'''.replace("EAGER", _EAGER),
    (_DFT,),
)

RFFTN = Routine(
    "_rfftn",
    '''
def _rfftn(x: Tensor, dims: abc.Sequence[int]) -> Tensor:
    """`torch.fft.rfftn` as [..., part]; `dims` count from the end, without part."""
    EAGER
        return torch.view_as_real(torch.fft.rfftn(x, dim=dims))
    n = x.shape[dims[-1]]
    x = _dft(x.unsqueeze(-1), dims[-1], n, n // 2 + 1, -1)
    for dim in dims[:-1]:
        n = x.shape[dim - 1]
        x = _dft(x, dim, n, n, -1)
    return x
'''.replace("EAGER", _EAGER),
    (_DFT,),
)

IRFFTN = Routine(
    "_irfftn",
    '''
def _irfftn(x: Tensor, shape: abc.Sequence[int], dims: abc.Sequence[int]) -> Tensor:
    """`torch.fft.irfftn` of x[..., part], which has `shape` then; `dims` count from
    the end, without part."""
    EAGER
        z = torch.complex(x[..., 0], x[..., 1])
        return torch.fft.irfftn(z, s=shape, dim=dims)
    for n, dim in zip(shape[:-1], dims[:-1], strict=True):
        x = _dft(x, dim, n, n, 1)
    # each frequency but 0 and n / 2 stands for its conjugate too
    n, dim = shape[-1], dims[-1]
    k = torch.arange(n // 2 + 1, device=x.device)
    weight = torch.where((k == 0) | (2 * k == n), 1, 2).view(-1, *(1,) * -dim)
    x = _dft(x * weight.to(x.dtype), dim, n, n, 1, parts=1)
    return x.squeeze(-1) / math.prod(shape)
'''.replace("EAGER", _EAGER),
    (_DFT,),
)
