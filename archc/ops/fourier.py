"""What the discrete Fourier transforms share: a complex number is a pair of reals along an axis of two positions.

The number c e^(ia) is the pair c cos(a - p pi / 2), p = 0 for its real and p = 1 for its imaginary part, so that
turning a pair by an angle takes one cosine, cos(a + (p - q) pi / 2). Angles are counted in quarter turns of one n-th,
(4 k t + (p - q) n) mod 4 n, exactly, in whole numbers: nothing is lost where k t is large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi
from typing import Any, ClassVar, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from archc.ops.operation import Axes, Fresh, Lowered, Lowering, NewAxes, Operation, Routine
from archc.types.size import Size
from archc.types.tensor_type import Axis


class Transform(Operation):
    """A transform of the axes `source` to as many axes `target`, one axis after the other; `axis` is the pair.

    With `modes` only the lowest frequencies take part: 0 ... modes - 1 along the last axis of real values, otherwise
    -modes ... modes - 1, in this order. Without it all of them do, in the order 0 ... n - 1, by `routine`.
    """

    routine: ClassVar[Routine]
    is_real: ClassVar[bool]
    is_inverse: ClassVar[bool]
    source: Axes
    target: NewAxes
    axis: tuple[Axis | Fresh, ...]
    modes: Size | None = None

    @model_validator(mode="after")
    def _is_matched(self) -> Self:
        if len(self.source) != len(self.target):
            raise PydanticCustomError("arrow", "Input should be an arrow between as many axes")
        return self

    @property
    def merges(self) -> bool:
        # over few modes a sum is a small matrix product, which joins the sums around it
        return self.modes is not None

    @property
    def hypers(self) -> Mapping[str, Any]:
        named: dict[str, Any] = {"modes": self.modes}
        for at, (old, new) in enumerate(zip(self.source, self.target, strict=True)):
            named |= {f"old{at}": (old,), f"new{at}": (new,)}
        return {**named, **{f"pair{at}": (axis,) for at, axis in enumerate(self.axis)}}

    def meaning(self, arity: int) -> str:
        rank = len(self.source)
        pairs = [f"pair{at}" for at in range(len(self.axis))]
        names = [f"old{at}" for at in range(rank)]
        given = ", ".join([*map(self._given, range(rank)), *(["pair0: 2"] if self.takes_pair else [])])
        value, before, steps = "x", pairs[:1] if self.takes_pair else [], []
        if not self.is_real:  # the pair comes and goes under one name
            value, before = "start", ["part"]
            steps.append(f"let start[{', '.join(names)}, part: 2] = x[pair0: part]")
        for at in range(rank) if self.is_inverse else reversed(range(rank)):
            is_last = at == (rank - 1 if self.is_inverse else 0)
            after = [f"part{at}"] if not is_last else [] if self.is_real and self.is_inverse else pairs
            names[at] = f"new{at}"
            made = [self._made(at) if one == f"new{at}" else one for one in names]
            axes = ", ".join([*made, *(f"{one}: 2" for one in after)])
            bound, read = self._bound(at), value
            if bound != f"old{at}":
                read = f"{value}[old{at}: {bound}]"
            bound = ", ".join([bound, *before])
            steps.append(f"let z{at}[{axes}] = sum {bound}: {read} * {self._rotation(at, before, after)}")
            value, before = f"z{at}", after
        body = "".join(f"\n            {step}" for step in steps)
        return f"""(x: real[{given}]) -> (y: real[{", ".join([*names, *before])}]){self._conditions()}
        {{{body}
            return {value}
        }}"""

    @property
    def takes_pair(self) -> bool:
        """Whether the operand has real and imaginary parts."""
        return self.is_inverse or not self.is_real

    def _is_half(self, at: int) -> bool:
        """Whether an axis has half of the frequencies, which tell the others."""
        return self.is_real and at == len(self.source) - 1

    def _count(self, at: int) -> str:
        """How many frequencies of an axis take part."""
        if self.modes is not None:
            return "modes" if self._is_half(at) else "2 * modes"
        time = f"size({'new' if self.is_inverse else 'old'}{at})"
        return f"{time} // 2 + 1" if self._is_half(at) else time

    def _given(self, at: int) -> str:
        """An axis of the operand; a size that another follows from is not said."""
        is_said = self.is_inverse and (self.modes is not None or self._is_half(at))
        return f"old{at}: {self._count(at)}" if is_said else f"old{at}"

    def _made(self, at: int) -> str:
        """An axis of the result; how many values frequencies stand for is said by the call where they do not tell."""
        if not self.is_inverse:
            return f"new{at}: {self._count(at)}"
        return f"new{at}" if self.modes is not None or self._is_half(at) else f"new{at}: size(old{at})"

    def _bound(self, at: int) -> str:
        """What an axis is called in the sum over it: by another name where the new axis has its own."""
        return f"of{at}" if self.source[at].name == self.target[at].name else f"old{at}"

    def _conditions(self) -> str:
        """That the axes are long enough to tell the frequencies that take part from each other."""
        if self.modes is None:
            return ""
        time = "new" if self.is_inverse else "old"
        least = (
            f"size({time}{at}) >= 2 * modes{' - 1' if self._is_half(at) else ''}" for at in range(len(self.source))
        )
        return f" where modes >= 1, {', '.join(least)}"

    def _rotation(self, at: int, before: Sequence[str], after: Sequence[str]) -> str:
        """The cosine of 2 pi k t / n and of the quarter turns from one pair to the other; an inverse divides by n."""
        old = self._bound(at)
        frequency, time = (old, f"new{at}") if self.is_inverse else (f"new{at}", old)
        k = frequency if self.modes is None or self._is_half(at) else f"({frequency} - modes)"
        quarters = " - ".join([*before, *after] if self.is_inverse else [*after, *before])
        n = f"size({time})"
        cosine = f"cos({pi / 2!r} / {n} * ((4 * {k} * {time} + {n} * ({quarters})) % (4 * {n})))"
        if not self.is_inverse:
            return cosine
        if not self.is_real:
            return f"{cosine} / {n}"
        if not self._is_half(at):
            return cosine
        # each frequency but 0 and n / 2 stands for its conjugate too; the division by all n is done once
        total = " * ".join(f"size(new{one})" for one in range(len(self.source)))
        return f"where({frequency} == 0 or 2 * {frequency} == {n}, 1 / ({total}), 2 / ({total})) * {cosine}"

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        if len(self.axis) > 1:
            return None
        (given,) = to.operands
        (pair,) = (axis.name for axis in self.axis)
        if self.takes_pair:
            given = to.last(given, [pair])
        # there are no transforms in half precision
        precise = f"{given.text}.to(torch.promote_types({given.text}.dtype, torch.float32))"
        x = to.name("precise", precise, given.axes, given.type)
        axes = x.axes[:-1] if self.takes_pair else x.axes
        dims = ", ".join(str(axes.index(axis.name) - len(axes)) for axis in self.source)
        sizes = to.results[0].sizes
        lengths = ", ".join(to.size(sizes[axis.name]) for axis in self.target)
        shape = f"({lengths},), " if self.is_real and self.is_inverse else ""
        text = f"{to.routine(self.routine)}({x.text}, {shape}({dims},))"
        names = {old.name: new.name for old, new in zip(self.source, self.target, strict=True)}
        axes = tuple(names.get(axis, axis) for axis in axes)
        if not (self.is_real and self.is_inverse):
            axes = (*axes, pair)
        found = to.name("transform", text, axes, to.results[0])
        return (Lowered(f"{found.text}.to({given.text}.dtype)", axes),)
