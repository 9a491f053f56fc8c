"""The steps of a schedule: positional tensor operations, and tensors as their results.

Dimensions are counted from the front; names of axes live outside, in `Laid`. Sizes are symbolic throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from archc.types.size import Size


@dataclass(frozen=True)
class Step:
    """Base of all steps."""


@dataclass(frozen=True)
class Input(Step):
    """A value that exists already: an input of the region, a parameter, the result of a call."""

    name: str


@dataclass(frozen=True)
class Number(Step):
    """A number known when the module is written."""

    value: int | float | bool


@dataclass(frozen=True)
class Extent(Step):
    """A size as a Python integer."""

    size: Size


@dataclass(frozen=True)
class Training(Step):
    """Whether the module trains, or whether it does not, where `negated`: a truth value of Python."""

    negated: bool = False


@dataclass(frozen=True)
class Choose(Step):
    """The first of two tensors of one shape while the module trains, else the second; only that one is computed."""


@dataclass(frozen=True)
class Range(Step):
    """The positions 0, 1, ... of an axis; as real numbers where `real`. `hint` is the name of the first such axis."""

    size: Size
    real: bool
    hint: str = field(default="", compare=False)


@dataclass(frozen=True)
class Map(Step):
    """A pointwise function; operands broadcast from the last dimension on."""

    word: str
    attributes: tuple[tuple[str, int | float], ...] = ()


@dataclass(frozen=True)
class Permute(Step):
    """Dimension i of the result is dimension order[i] of the operand."""

    order: tuple[int, ...]


@dataclass(frozen=True)
class Insert(Step):
    """New dimensions of length 1, at these places of the result."""

    dims: tuple[int, ...]


@dataclass(frozen=True)
class Expand(Step):
    """The operand repeated along dimensions of length 1, without a copy, to this shape."""

    shape: tuple[Size, ...]


@dataclass(frozen=True)
class Merge(Step):
    """`count` neighbouring dimensions from `start` on become one."""

    start: int
    count: int


@dataclass(frozen=True)
class Divide(Step):
    """One dimension becomes several."""

    dim: int
    sizes: tuple[Size, ...]


@dataclass(frozen=True)
class Slice(Step):
    """Entries start, start + step, ... of one dimension, `count` of them."""

    dim: int
    start: Size
    count: Size
    step: Size


@dataclass(frozen=True)
class Select(Step):
    """One entry of one dimension, which goes."""

    dim: int
    index: Size


@dataclass(frozen=True)
class Flip(Step):
    """One dimension backwards."""

    dim: int


@dataclass(frozen=True)
class Loaded(Step):
    """The same whole numbers, which inductor then takes as if from memory. What it works out from positions it
    simplifies, and remainders of their products wrongly: in torch 2.13 `(i * j + 5) % 12` is another when compiled."""


@dataclass(frozen=True)
class Roll(Step):
    """Entry i of dimension dims[j] comes from i - shifts[j], around the end."""

    dims: tuple[int, ...]
    shifts: tuple[Size, ...]


@dataclass(frozen=True)
class Interleave(Step):
    """Each entry of a dimension, `factor` times in a row."""

    dim: int
    factor: Size


@dataclass(frozen=True)
class Pad(Step):
    """New entries before and after, by dimension; negative amounts cut. Filled with `value`, or circular."""

    amounts: tuple[tuple[int, Size, Size], ...]
    value: int | float | bool | None


@dataclass(frozen=True)
class Windows(Step):
    """Sliding windows: dimension `dim` counts the windows, a new last dimension the entries of each."""

    dim: int
    size: Size
    step: Size


@dataclass(frozen=True)
class Take(Step):
    """Entries at positions given by index tensors that broadcast together: operand 0 is the source, then one index per
    dimension that is not `plain`. The dimensions of the indices come at `place`."""

    plain: tuple[bool, ...]
    place: int


@dataclass(frozen=True)
class Linear(Step):
    """x[..., r], w[n, r], perhaps b[n] -> [..., n]."""


@dataclass(frozen=True)
class Matmul(Step):
    """The product of matrices, as `@` broadcasts it."""


@dataclass(frozen=True)
class Einsum(Step):
    """Labels by operand and of the result; `letters` are mnemonic, one per label."""

    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    letters: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Conv(Step):
    """x[batch, groups * in, ...], w[groups * out, in, ...], perhaps b[groups * out]: `rank` trailing dimensions."""

    rank: int
    stride: tuple[Size, ...]
    padding: tuple[Size, ...]
    dilation: tuple[Size, ...]
    groups: Size


@dataclass(frozen=True)
class ConvTranspose(Step):
    """x[batch, groups * in, ...], w[groups * in, out, ...], perhaps b[groups * out]: `rank` trailing dimensions, cut by
    `padding` at both ends and longer by `extra` at the last."""

    rank: int
    stride: tuple[Size, ...]
    padding: tuple[Size, ...]
    extra: tuple[Size, ...]
    dilation: tuple[Size, ...]
    groups: Size


@dataclass(frozen=True)
class Fold(Step):
    """A reduction of the registry over dimensions."""

    kind: str
    dims: tuple[int, ...]


@dataclass(frozen=True)
class Scatter(Step):
    """Entries along `dim` reduced into `size` places that the index, operand 0, gives: one index per place along `dim`,
    or per entry where `full`."""

    kind: str
    dim: int
    size: Size
    full: bool


@dataclass(frozen=True)
class Cast(Step):
    """Whole numbers or truth values as numbers of this kind; the real precision is that of the module."""

    kind: str


@dataclass(frozen=True)
class Written(Step):
    """Text of an operation's own lowering, in which `placeholder` names stand for operands."""

    text: str
    serial: int
    hint: str = field(default="", compare=False)


@dataclass(frozen=True)
class Invoke(Step):
    """The instance held as `module`, applied to the operands; never the same as another use of it."""

    module: str
    serial: int


@dataclass(frozen=True, eq=False)
class Tensor:
    """The result of a step. `kind` is real, int, bool or complex; `serial` the order of creation; `axes` are the names
    its dimensions had first, for comments. A `scalar` is a Python number."""

    serial: int
    step: Step
    operands: tuple[Tensor, ...]
    shape: tuple[Size, ...]
    kind: str
    axes: tuple[str, ...]
    scalar: bool = False
    learned: bool = False

    @property
    def placeholder(self) -> str:
        """The name that stands for this tensor in written text."""
        return f"tensor_{self.serial}_"


@dataclass(frozen=True)
class Laid:
    """A tensor with the names of its dimensions."""

    tensor: Tensor
    axes: tuple[str, ...]

    def dim(self, axis: str) -> int:
        """The dimension of an axis, from the front."""
        return self.axes.index(axis)

    def size(self, axis: str) -> Size:
        """The size of an axis."""
        return self.tensor.shape[self.axes.index(axis)]
