"""The torch expression of each step, over placeholders for its operands and for sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from string import ascii_letters
from typing import Any, NamedTuple

from archc.codegen.names import attribute
from archc.ops.expression import bracket
from archc.ops.operation import Pointwise
from archc.ops.registries import POINTWISE, REDUCTIONS
from archc.readings.schedule.lowering import size_placeholder
from archc.readings.schedule.tensor import (
    Cast,
    Choose,
    Conv,
    ConvTranspose,
    Divide,
    Einsum,
    Expand,
    Extent,
    Flip,
    Fold,
    Insert,
    Interleave,
    Invoke,
    Linear,
    Loaded,
    Map,
    Matmul,
    Merge,
    Number,
    Pad,
    Permute,
    Range,
    Roll,
    Scatter,
    Select,
    Slice,
    Step,
    Take,
    Tensor,
    Training,
    Windows,
    Written,
)
from archc.types.size import Size

DEVICE = "device_of_inputs_"
DTYPE = "dtype_of_module_"
_ONE = Size.of(1)
_ZERO = Size.of(0)


class _Site(NamedTuple):
    """A tensor and the names of its operands."""

    tensor: Tensor
    names: Sequence[str]


def size_text(size: Size) -> str:
    """A size over placeholders for its symbols."""
    return size.python(size_placeholder)


def _shape(sizes: Sequence[Size]) -> str:
    return ", ".join(map(size_text, sizes))


def _tuple(texts: Sequence[str]) -> str:
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def expression(tensor: Tensor) -> str:
    """The expression that computes a tensor from its operands."""
    site = _Site(tensor, [operand.placeholder for operand in tensor.operands])
    return _PRINTERS[type(tensor.step)](tensor.step, site)


def _number(step: Number, _at: _Site) -> str:
    return _number_text(step.value)


def _number_text(value: float) -> str:
    text = repr(value)
    return {"inf": "torch.inf", "-inf": "-torch.inf", "nan": "torch.nan"}.get(text, text)


def _extent(step: Extent, _at: _Site) -> str:
    return size_text(step.size)


def _training(step: Training, _at: _Site) -> str:
    return "not self.training" if step.negated else "self.training"


def _choose(_: Choose, at: _Site) -> str:
    return f"{at.names[0]} if self.training else {at.names[1]}"


def _range(step: Range, _at: _Site) -> str:
    dtype = f", dtype={DTYPE}" if step.real else ""
    return f"torch.arange({size_text(step.size)}{dtype}, device={DEVICE})"


def _map(step: Map, at: _Site) -> str:
    texts = [_literal(operand) or name for operand, name in zip(at.tensor.operands, at.names, strict=True)]
    function = POINTWISE[step.word](**dict(step.attributes))
    if at.tensor.scalar:
        return _on_numbers(function, texts)
    scalars = [operand.scalar for operand in at.tensor.operands]
    if step.word in ("maximum", "minimum") and any(scalars):
        return _bounded(step.word, texts, scalars)
    return function.torch(*texts)


def _on_numbers(function: Pointwise, texts: Sequence[str]) -> str:
    """A pointwise function of Python numbers, by a function of Python or an operator."""
    return function.torch(*texts) if function.scalar is None else f"{function.scalar}({', '.join(texts)})"


def _bounded(word: str, texts: Sequence[str], scalars: Sequence[bool]) -> str:
    bound = "min" if word == "maximum" else "max"
    tensors = [text for text, scalar in zip(texts, scalars, strict=True) if not scalar]
    result = tensors[0]
    for text in tensors[1:]:
        result = f"torch.{word}({result}, {text})"
    for text, scalar in zip(texts, scalars, strict=True):
        if scalar:
            result = f"{result}.clamp({bound}={text})"
    return result


def _literal(tensor: Tensor) -> str:
    return _number_text(tensor.step.value) if isinstance(tensor.step, Number) else ""


def _permute(step: Permute, at: _Site) -> str:
    rank = len(step.order)
    swapped = [place for place, dim in enumerate(step.order) if dim != place]
    if len(swapped) == 2:
        if swapped == [rank - 2, rank - 1]:
            return f"{at.names[0]}.mT"
        return f"{at.names[0]}.transpose({swapped[0]}, {swapped[1]})"
    moved = _moved(step.order)
    if moved is not None:
        return f"{at.names[0]}.movedim({moved[0]}, {moved[1]})"
    return f"{at.names[0]}.permute({', '.join(map(str, step.order))})"


def _moved(order: tuple[int, ...]) -> tuple[int, int] | None:
    """The one dimension whose move makes the order, if there is one."""
    for source in range(len(order)):
        rest = [dim for dim in range(len(order)) if dim != source]
        target = order.index(source)
        if (*rest[:target], source, *rest[target:]) == order:
            return source, target if target < len(order) - 1 else -1
    return None


def _insert(step: Insert, at: _Site) -> str:
    rank = len(at.tensor.shape)
    if len(step.dims) == 1:
        (dim,) = step.dims
        return f"{at.names[0]}.unsqueeze({dim if dim < rank - 1 else -1})"
    items = ["None" if dim in step.dims else ":" for dim in range(rank)]
    lead = next(at for at, item in enumerate(reversed(items)) if item == ":")
    if lead:
        head = items[: rank - lead]
        whole = all(item == ":" for item in head)
        return f"{at.names[0]}[{', '.join(['...'] if whole and len(head) > 1 else head)}, {', '.join(['None'] * lead)}]"
    while items[-1] == ":" and len(items) > 1:
        items.pop()
    return f"{at.names[0]}[{', '.join(items)}]"


def _expand(step: Expand, at: _Site) -> str:
    operand = at.tensor.operands[0]
    if operand.scalar:
        dtype = {"real": DTYPE, "int": "torch.long", "bool": "torch.bool"}.get(at.tensor.kind, DTYPE)
        return (
            f"torch.full({_tuple_of(step.shape)}, {_literal(operand) or at.names[0]}, dtype={dtype}, device={DEVICE})"
        )
    own = (*(None,) * (len(step.shape) - len(operand.shape)), *operand.shape)
    texts = ["-1" if known == size else size_text(size) for known, size in zip(own, step.shape, strict=True)]
    return f"{at.names[0]}.expand({', '.join(texts)})"


def _tuple_of(sizes: Sequence[Size]) -> str:
    return _tuple([size_text(size) for size in sizes]) if sizes else "()"


def _merge(step: Merge, at: _Site) -> str:
    rank = len(at.tensor.operands[0].shape)
    if step.start + step.count == rank:
        start = step.start if step.start < 2 and rank <= step.start + 2 else step.start - rank
        return f"{at.names[0]}.flatten({start if step.start else ''})"
    return f"{at.names[0]}.flatten({step.start}, {step.start + step.count - 1})"


def _divide(step: Divide, at: _Site) -> str:
    rank = len(at.tensor.operands[0].shape)
    dim = step.dim if step.dim < rank - 1 else -1
    return f"{at.names[0]}.unflatten({dim}, {_tuple_of(step.sizes)})"


def _subscript(name: str, dim: int, rank: int, item: str) -> str:
    """The entry or slice of one dimension."""
    if dim == rank - 1 and dim > 1:
        return f"{name}[..., {item}]"
    return f"{name}[{', '.join([*(':',) * dim, item])}]"


def _slice(step: Slice, at: _Site) -> str:
    first = "" if step.start == _ZERO else size_text(step.start)
    stop = _stop(step, at.tensor.operands[0].shape[step.dim])
    item = f"{first}:{stop}" + ("" if step.step == _ONE else f":{size_text(step.step)}")
    return _subscript(at.names[0], step.dim, len(at.tensor.shape), item)


def _stop(step: Slice, source: Size) -> str:
    """Where a slice ends. One with a step may end anywhere behind its last entry: at the end of the dimension or a few
    entries before it, which is said without a comparison of sizes that an export with a dynamic size would refuse."""
    end = step.start + (step.count - 1) * step.step + 1
    if end == source:
        return ""
    for left in range(step.step.constant or 1):
        if (source - left - step.start + step.step - 1) // step.step == step.count:
            return f"-{left}" if left else ""
    return size_text(end)


def _select(step: Select, at: _Site) -> str:
    rank = len(at.tensor.operands[0].shape)
    from_end = step.index - at.tensor.operands[0].shape[step.dim]
    ahead = step.index.constant is None and from_end.constant is not None
    index = size_text(from_end if ahead else step.index)
    return _subscript(at.names[0], step.dim, rank, index)


def _flip(step: Flip, at: _Site) -> str:
    return f"{at.names[0]}.flip({step.dim if step.dim < len(at.tensor.shape) - 1 else -1})"


def _loaded(_: Loaded, at: _Site) -> str:
    return f"{at.names[0]} | 0"


def _roll(step: Roll, at: _Site) -> str:
    if len(step.dims) == 1:
        return f"{at.names[0]}.roll({size_text(step.shifts[0])}, {step.dims[0]})"
    return f"{at.names[0]}.roll({_tuple_of(step.shifts)}, {_tuple([str(dim) for dim in step.dims])})"


def _interleave(step: Interleave, at: _Site) -> str:
    return f"{at.names[0]}.repeat_interleave({size_text(step.factor)}, {step.dim})"


def _pad(step: Pad, at: _Site) -> str:
    amounts = {dim: (left, right) for dim, left, right in step.amounts}
    first, rank = min(amounts), len(at.tensor.shape)
    if step.value is None and not (rank - first == len(amounts) <= 3 and first in (1, 2)):
        ((dim, (left, right)),) = amounts.items()
        before = _subscript(at.names[0], dim, rank, f"-{bracket(size_text(left), 12)}:")
        after = _subscript(at.names[0], dim, rank, f":{size_text(right)}")
        parts = [text for text, side in ((before, left), (at.names[0], None), (after, right)) if side != _ZERO]
        return f"torch.cat({_tuple(parts)}, {dim})"
    pairs = [amounts.get(dim, (_ZERO, _ZERO)) for dim in range(rank - 1, first - 1, -1)]
    sides = _tuple([size_text(side) for pair in pairs for side in pair])
    value = ', mode="circular"' if step.value is None else "" if step.value == 0 else f", value={step.value!r}"
    return f"F.pad({at.names[0]}, {sides}{value})"


def _windows(step: Windows, at: _Site) -> str:
    return f"{at.names[0]}.unfold({step.dim}, {size_text(step.size)}, {size_text(step.step)})"


def _take(step: Take, at: _Site) -> str:
    source, *others = at.tensor.operands
    if len(others) == 1 and len(others[0].shape) == 1:
        return f"{at.names[0]}.index_select({step.place}, {at.names[1]})"
    if len(others) == 1 and others[0].shape and step.plain == (False, True) and source.kind == "real":
        return f"F.embedding({at.names[1]}, {at.names[0]})"
    indices = iter(at.names[1:])
    items = [":" if plain else next(indices) for plain in step.plain]
    while items[-1] == ":":
        items.pop()
    return f"{at.names[0]}[{', '.join(items)}]"


def _invoke(step: Invoke, at: _Site) -> str:
    return f"self.{attribute(step.module)}({', '.join(at.names)})"


def _linear(_: Linear, at: _Site) -> str:
    return f"F.linear({', '.join(at.names)})"


def _matmul(_: Matmul, at: _Site) -> str:
    return f"{at.names[0]} @ {at.names[1]}"


def _einsum(step: Einsum, at: _Site) -> str:
    letters = _letters(step.letters)
    inputs = ",".join("".join(letters[label] for label in labels) for labels in step.inputs)
    output = "".join(letters[label] for label in step.output)
    return f'torch.einsum("{inputs}->{output}", {", ".join(at.names)})'


def _letters(axes: Sequence[str]) -> list[str]:
    """One letter per axis: the first of its name that is free, else the first of the alphabet that is."""
    found: list[str] = []
    for axis in axes:
        own = [char for char in axis if char in ascii_letters]
        choices = [*own, *(char.upper() for char in own), *ascii_letters]
        found.append(next(char for char in choices if char not in found))
    return found


def _conv(step: Conv, at: _Site) -> str:
    options = [("stride", step.stride, _ONE), ("padding", step.padding, _ZERO), ("dilation", step.dilation, _ONE)]
    return f"F.conv{step.rank}d({_convolved(at.names, options, step.groups)})"


def _conv_transpose(step: ConvTranspose, at: _Site) -> str:
    options = [
        ("stride", step.stride, _ONE),
        ("padding", step.padding, _ZERO),
        ("output_padding", step.extra, _ZERO),
        ("dilation", step.dilation, _ONE),
    ]
    return f"F.conv_transpose{step.rank}d({_convolved(at.names, options, step.groups)})"


def _convolved(names: Sequence[str], options: Iterable[tuple[str, Sequence[Size], Size]], groups: Size) -> str:
    """The arguments of a convolution; an option that is its default in every dimension is left out."""
    words = [*names]
    for word, sizes, default in options:
        if any(size != default for size in sizes):
            same = all(size == sizes[0] for size in sizes)
            words.append(f"{word}={size_text(sizes[0]) if same else _tuple_of(sizes)}")
    if groups != _ONE:
        words.append(f"groups={size_text(groups)}")
    return ", ".join(words)


def _fold(step: Fold, at: _Site) -> str:
    rank = len(at.tensor.operands[0].shape)
    dims = tuple(dim - rank for dim in step.dims)
    return REDUCTIONS[step.kind]().torch(at.names[0], dims)


def _scatter(step: Scatter, at: _Site) -> str:
    index, part = at.names
    shape = _tuple_of(at.tensor.shape)
    if step.kind == "sum":
        method = "scatter_add" if step.full else "index_add"
        return f"{part}.new_zeros({shape}).{method}({step.dim}, {index}, {part})"
    start = _number_text(float(REDUCTIONS[step.kind].identity))
    word = REDUCTIONS[step.kind].scatter
    return f'{part}.new_full({shape}, {start}).scatter_reduce({step.dim}, {index}, {part}, "{word}")'


def _cast(step: Cast, at: _Site) -> str:
    if step.kind == "int":
        return f"{at.names[0]}.long()"
    dtype = f"{bracket(DTYPE)}.to_complex()" if step.kind == "complex" else DTYPE
    return f"{at.names[0]}.to({dtype})"


def _written(step: Written, _at: _Site) -> str:
    return step.text


_PRINTERS: dict[type[Step], Callable[[Any, _Site], str]] = {
    Cast: _cast,
    Choose: _choose,
    Conv: _conv,
    ConvTranspose: _conv_transpose,
    Divide: _divide,
    Einsum: _einsum,
    Expand: _expand,
    Extent: _extent,
    Flip: _flip,
    Fold: _fold,
    Insert: _insert,
    Invoke: _invoke,
    Interleave: _interleave,
    Linear: _linear,
    Loaded: _loaded,
    Map: _map,
    Matmul: _matmul,
    Merge: _merge,
    Number: _number,
    Pad: _pad,
    Permute: _permute,
    Range: _range,
    Roll: _roll,
    Scatter: _scatter,
    Select: _select,
    Slice: _slice,
    Take: _take,
    Training: _training,
    Windows: _windows,
    Written: _written,
}
