"""Building tensors: equal steps on equal operands are one tensor, dimensions are addressed by axis name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archc.ops.operation import Routine
from archc.ops.registries import POINTWISE
from archc.readings.schedule.numbers import COMPARISONS, on_numbers
from archc.readings.schedule.tensor import (
    Cast,
    Choose,
    Divide,
    Expand,
    Extent,
    Fold,
    Input,
    Insert,
    Laid,
    Loaded,
    Map,
    Merge,
    Number,
    Permute,
    Range,
    Step,
    Tensor,
    Training,
)
from archc.types.size import Size

ONE = Size.of(1)
_WIDTH = {"bool": 0, "int": 1, "real": 2, "complex": 3}
_TO_REAL = ("abs", "angle", "real", "imag")


def base_kind(word: str) -> str:
    """What entries of a kind are in torch: real, int, bool or complex."""
    return {"index": "int", "simplex": "real", "point": "real"}.get(word, word)


@dataclass
class Trace:
    """All tensors of a region, in the order in which they were built."""

    tensors: dict[object, Tensor] = field(default_factory=dict)
    by_placeholder: dict[str, Tensor] = field(default_factory=dict)
    routines: dict[str, Routine] = field(default_factory=dict)

    def routine(self, routine: Routine) -> str:
        """The name of a routine, which with those it calls is then among `routines`."""
        for needed in routine.needs:
            self.routine(needed)
        self.routines[routine.name] = routine
        return routine.name

    def make(
        self,
        step: Step,
        operands: Sequence[Laid | Tensor],
        shape: Iterable[Size],
        kind: str,
        axes: Sequence[str],
        *,
        learned: bool | None = None,
    ) -> Laid:
        """The tensor of a step under these axis names; the one built before where it is the same. It is `learned` where
        all its operands are."""
        parts = tuple(part.tensor if isinstance(part, Laid) else part for part in operands)
        key = (step, *(part.serial for part in parts))
        known = self.tensors.get(key)
        if known is None:
            if learned is None:
                learned = all(part.learned or part.scalar for part in parts) and not _all_scalar(parts)
            scalar = isinstance(step, Number | Extent | Training)
            scalar = scalar or (isinstance(step, Map | Choose) and _all_scalar(parts))
            known = Tensor(len(self.tensors), step, parts, tuple(shape), kind, tuple(axes), scalar, learned)
            self.tensors[key] = known
            self.by_placeholder[known.placeholder] = known
        return Laid(known, tuple(axes))

    def input(self, name: str, shape: Sequence[Size], kind: str, axes: Sequence[str], *, learned: bool = False) -> Laid:
        """A value that exists already; `learned` marks parameters, whose side of a product is the weight."""
        tensor = Tensor(len(self.tensors), Input(name), (), tuple(shape), kind, tuple(axes), False, learned)
        self.tensors[Input(name)] = tensor
        self.by_placeholder[tensor.placeholder] = tensor
        return Laid(tensor, tuple(axes))

    def number(self, value: float | bool) -> Laid:
        """A literal."""
        # 1, 1.0 and True are equal in Python, and must not become one another
        kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "real"
        key = (Number(value), kind, repr(value))
        known = self.tensors.get(key)
        if known is None:
            known = Tensor(len(self.tensors), Number(value), (), (), kind, (), True)
            self.tensors[key] = known
            self.by_placeholder[known.placeholder] = known
        return Laid(known, ())

    def extent(self, size: Size) -> Laid:
        """A size as a number."""
        if size.constant is not None:
            return self.number(size.constant)
        return self.make(Extent(size), (), (), "int", ())

    def positions(self, axis: str, size: Size, *, real: bool) -> Laid:
        """The positions of an axis."""
        return self.make(Range(size, real, axis), (), (size,), "real" if real else "int", (axis,))

    def loaded(self, part: Laid) -> Laid:
        """The same whole numbers, which inductor takes as it finds them."""
        return self.make(Loaded(), (part,), part.tensor.shape, "int", part.axes)

    def permuted(self, part: Laid, axes: Sequence[str]) -> Laid:
        """The same tensor with its dimensions in this order of all its axes."""
        if tuple(axes) == part.axes:
            return part
        order = tuple(part.dim(axis) for axis in axes)
        step, source = part.tensor.step, part.tensor
        if isinstance(step, Permute):
            order = tuple(step.order[dim] for dim in order)
            source = source.operands[0]
            if order == tuple(range(len(order))):
                return Laid(source, tuple(axes))
        return self.make(Permute(order), (source,), (source.shape[dim] for dim in order), source.kind, axes)

    def aligned(self, part: Laid, axes: Sequence[str]) -> Tensor:
        """The tensor laid out to broadcast against `axes`, leading missing dimensions left out."""
        if not part.axes:
            return part.tensor
        own = [axis for axis in axes if axis in part.axes]
        part = self.permuted(part, own)
        tail = list(axes[axes.index(own[0]) :])
        missing = tuple(place for place, axis in enumerate(tail) if axis not in part.axes)
        return self.inserted(part, missing, tail).tensor if missing else part.tensor

    def inserted(self, part: Laid, dims: tuple[int, ...], axes: Sequence[str]) -> Laid:
        """New dimensions of length 1; `axes` names all dimensions of the result."""
        shape = list(part.tensor.shape)
        for dim in dims:
            shape.insert(dim, ONE)
        return self.make(Insert(dims), (part,), shape, part.tensor.kind, axes)

    def map(
        self,
        word: str,
        operands: Sequence[Laid],
        attributes: tuple[tuple[str, int | float], ...] = (),
        prefer: Sequence[str] = (),
    ) -> Laid:
        """A pointwise function over the union of the axes of its operands."""
        known = on_numbers(word, operands, attributes)
        if known is not None:
            return self.extent(known) if isinstance(known, Size) else self.number(known)
        first = operands[0].tensor.step
        if word == "where" and isinstance(first, Number):
            return operands[1] if first.value else operands[2]
        if word == "where" and isinstance(first, Training):
            _, training, evaluation = operands
            return self.chosen(*((evaluation, training) if first.negated else (training, evaluation)), prefer)
        if word == "not" and isinstance(first, Training):
            return self.training(negated=not first.negated)
        operands = [
            self.expanded(part, (), {}) if isinstance(part.tensor.step, Training) else part for part in operands
        ]
        if word == "neg" and isinstance(first, Map) and first.word == "neg":
            return Laid(operands[0].tensor.operands[0], operands[0].axes)
        if word in COMPARISONS and operands[0] == operands[1] and operands[0].tensor.kind == "int":
            return self.number(word in ("eq", "le", "ge"))
        word, operands = self._plainer(word, operands)
        if _has_no_number(word, operands):
            operands = [self.expanded(self.made_float(part), (), {}) for part in operands]
        kind = _map_kind(word, [part.tensor.kind for part in operands])
        if kind in ("real", "complex"):
            operands = self.made_real(operands)
            if word == "where" and all(part.tensor.scalar for part in operands[1:]):
                # torch gives a choice between two numbers its own default precision
                operands = [operands[0], self.expanded(operands[1], (), {}), operands[2]]
        axes = merged_axes([part.axes for part in operands], prefer)
        sizes = {axis: part.size(axis) for part in operands for axis in part.axes}
        parts = [self.aligned(part, axes) for part in operands]
        return self.make(Map(word, attributes), parts, (sizes[axis] for axis in axes), kind, axes)

    def training(self, *, negated: bool = False) -> Laid:
        """Whether the module trains."""
        return self.make(Training(negated), (), (), "bool", ())

    def chosen(self, training: Laid, evaluation: Laid, prefer: Sequence[str] = ()) -> Laid:
        """One of two, by the mode that the module is in."""
        if training == evaluation:
            return training
        parts = (training, evaluation)
        kind = max((part.tensor.kind for part in parts), key=_WIDTH.__getitem__)
        axes = merged_axes([part.axes for part in parts], prefer)
        sizes = {axis: part.size(axis) for part in parts for axis in part.axes}
        whole = [self._of_kind(part, kind) for part in parts]
        if not all(part.tensor.scalar for part in parts):
            whole = [self.expanded(part, axes, sizes) for part in whole]
        return self.make(Choose(), whole, (sizes[axis] for axis in axes), kind, axes)

    def _of_kind(self, part: Laid, kind: str) -> Laid:
        return self.made_float(part) if kind == "real" and part.tensor.scalar else self.cast(part, kind)

    def _plainer(self, word: str, operands: Sequence[Laid]) -> tuple[str, Sequence[Laid]]:
        """x + (-y) as x - y, x - (-2) as x + 2. Sizes are compared as tensors, so that no branch depends on them."""
        if word in COMPARISONS and all(part.tensor.scalar for part in operands):
            return word, [self.expanded(operands[0], (), {}), operands[1]]
        if word not in ("add", "sub") or len(operands) != 2:
            return word, operands
        left, right = operands
        step = right.tensor.step
        if isinstance(step, Number) and right.tensor.kind in ("int", "real") and step.value < 0:
            return "sub" if word == "add" else "add", [left, self.number(-step.value)]
        if isinstance(step, Map) and step.word == "neg":
            (inner,) = right.tensor.operands
            return "sub" if word == "add" else "add", [left, Laid(inner, right.axes)]
        return word, operands

    def made_float(self, part: Laid) -> Laid:
        """A whole number that is a literal as a real one."""
        step = part.tensor.step
        return self.number(float(step.value)) if isinstance(step, Number) and part.tensor.kind == "int" else part

    def made_real(self, operands: Sequence[Laid]) -> Sequence[Laid]:
        """The operands, whole numbers cast where nothing real stands beside them to decide the precision."""
        if any(part.tensor.kind in ("real", "complex") and not part.tensor.scalar for part in operands):
            return operands
        return [
            part if part.tensor.scalar or part.tensor.kind == "bool" else self.cast(part, "real") for part in operands
        ]

    def cast(self, part: Laid, kind: str) -> Laid:
        """The numbers as numbers of another kind; a number of Python takes the kind of what it meets."""
        if part.tensor.kind == kind or part.tensor.scalar:
            return part
        step = part.tensor.step
        if isinstance(step, Range) and kind == "real":
            return self.positions(part.axes[0], step.size, real=True)
        return self.make(Cast(kind), (part,), part.tensor.shape, kind, part.axes)

    def expanded(self, part: Laid, axes: Sequence[str], sizes: Mapping[str, Size]) -> Laid:
        """The tensor over all of `axes`, constant along those it does not have. A number becomes a tensor."""
        if part.axes == tuple(axes) and not part.tensor.scalar:
            return part
        shape = tuple(sizes[axis] for axis in axes)
        aligned = self.aligned(part, axes)
        if set(part.axes) == set(axes) and not part.tensor.scalar:
            return Laid(aligned, tuple(axes))
        return self.make(Expand(shape), (aligned,), shape, part.tensor.kind, axes)

    def last(self, part: Laid, axes: Sequence[str]) -> Laid:
        """The tensor with these axes moved to the end."""
        return self.permuted(part, [*(axis for axis in part.axes if axis not in axes), *axes])

    def merge(self, part: Laid, axes: Sequence[str], name: str) -> Laid:
        """These neighbouring axes as one axis `name`; a new axis of length 1 for none is not made here."""
        if len(axes) == 1:
            return Laid(part.tensor, tuple(name if axis == axes[0] else axis for axis in part.axes))
        start = part.dim(axes[0])
        total = ONE
        for axis in axes:
            total = total * part.size(axis)
        shape = (*part.tensor.shape[:start], total, *part.tensor.shape[start + len(axes) :])
        names = (*part.axes[:start], name, *part.axes[start + len(axes) :])
        return self.make(Merge(start, len(axes)), (part,), shape, part.tensor.kind, names)

    def divide(self, part: Laid, name: str, axes: Sequence[str], sizes: Sequence[Size]) -> Laid:
        """One axis as several."""
        dim = part.dim(name)
        names = (*part.axes[:dim], *axes, *part.axes[dim + 1 :])
        if len(axes) == 1:
            return Laid(part.tensor, names)
        shape = (*part.tensor.shape[:dim], *sizes, *part.tensor.shape[dim + 1 :])
        return self.make(Divide(dim, tuple(sizes)), (part,), shape, part.tensor.kind, names)

    def fold(self, kind: str, part: Laid, axes: Sequence[str]) -> Laid:
        """A reduction over axes that the tensor has."""
        dims = tuple(sorted(part.dim(axis) for axis in axes))
        kept = [dim for dim in range(len(part.axes)) if dim not in dims]
        result = "real" if kind in ("mean", "logsumexp") and part.tensor.kind in ("int", "bool") else part.tensor.kind
        if result != part.tensor.kind:
            part = self.cast(part, result)
        shape = [part.tensor.shape[dim] for dim in kept]
        return self.make(Fold(kind, dims), (part,), shape, result, [part.axes[dim] for dim in kept])


def _all_scalar(parts: Iterable[Tensor]) -> bool:
    return all(part.scalar for part in parts)


def _map_kind(word: str, kinds: Sequence[str]) -> str:
    result = POINTWISE[word].result
    if result == "same":
        own = kinds[1:] if word == "where" else kinds
        return max(own, key=_WIDTH.__getitem__)
    if result == "real" and "complex" in kinds and word not in _TO_REAL:
        return "complex"
    return result


def _has_no_number(word: str, operands: Sequence[Laid]) -> bool:
    """Whether a function of Python numbers has no form in Python, so that the numbers must be tensors."""
    function = POINTWISE[word]
    plain = function.scalar is not None or function.infix is not None or word in ("neg", "identity")
    return not plain and all(part.tensor.scalar for part in operands)


def merged_axes(orders: Sequence[Sequence[str]], prefer: Sequence[str] = ()) -> tuple[str, ...]:
    """One order of all axes that keeps the widest operand's order and, where they agree with it, the others'."""
    widest = max(orders, key=len, default=())
    if all(set(order) <= set(widest) for order in orders):
        return tuple(widest)
    before: dict[str, set[str]] = {}
    for order in sorted(orders, key=len, reverse=True):
        trial = {axis: set(known) for axis, known in before.items()}
        for place, axis in enumerate(order):
            trial.setdefault(axis, set()).update(order[:place])
        if _placed(trial, prefer) is not None:
            before = trial
        else:
            for axis in order:
                before.setdefault(axis, set())
    return _placed(before, prefer) or ()


def _placed(before: Mapping[str, set[str]], prefer: Sequence[str]) -> tuple[str, ...] | None:
    rank = {axis: place for place, axis in enumerate(prefer)}
    left = list(before)
    placed: list[str] = []
    done: set[str] = set()
    while left:
        ready = [axis for axis in left if before[axis] <= done]
        if not ready:
            return None
        axis = min(ready, key=lambda axis: rank.get(axis, len(rank)))
        left.remove(axis)
        placed.append(axis)
        done.add(axis)
    return tuple(placed)
