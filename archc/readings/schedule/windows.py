"""Where a kernel slides over a value: indices that are functions of one position per tap of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archc.formula.normal import ONE, ZERO, Affine, affine, size_of
from archc.formula.rename import along
from archc.formula.tree import Apply, Formula, Position, Read, SizeValue
from archc.types.size import Condition, Size

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation


@dataclass(frozen=True)
class Window:
    """Dimension `place` of a value, read where a tap of a kernel meets it.

    That is stride * outer + dilation * tap + offset, as in a convolution, or where `is_transposed`
    (outer - dilation * tap + offset) / stride wherever that is whole. The index is a function of it: of the position on
    `space` in `index`.
    """

    place: int
    outer: str
    tap: str
    stride: Size
    dilation: Size
    offset: Size
    is_transposed: bool
    index: Formula

    @property
    def space(self) -> str:
        """The name of the dimension where it is read once."""
        return f"~{self.outer}"

    @property
    def is_direct(self) -> bool:
        """Whether the index is the place itself."""
        return self.index == Position(self.space)

    def is_circular(self, size: Size) -> bool:
        """Whether the index is the place, going round the end of a dimension of this size."""
        match self.index:
            case Apply("mod", (Position(space), modulus)):
                return space == self.space and size_of(modulus) == size
        return False

    def read_at(self, first: Size) -> Formula:
        """The index of entries `first`, `first` + 1, ... by their position on `space`."""
        whole = Position(self.space)
        return along(self.index, {self.space: whole if first == ZERO else Apply("add", (whole, SizeValue(first)))})


def windows(
    at: Evaluation, bound: AbstractSet[str], read: Read, congruences: Sequence[tuple[Affine, Size]]
) -> list[Window]:
    """The dimensions of a reading along which a kernel slides. `congruences` say which sums of positions must be
    multiples of which size: a transposed convolution divides by no other."""
    found: list[Window] = []
    for place, index in enumerate(read.indices):
        core = _Core(bound)
        whole = core.taken(index)
        if whole is None or core.form is None:
            continue
        form, up = core.form, core.up
        (outer,), (tap,) = form.factors.keys() - bound, form.factors.keys() & bound
        stride, dilation = form.factors[outer], form.factors[tap]
        is_transposed = stride == ONE and _proves(at, "<", dilation, ZERO) and (up == ONE or (form, up) in congruences)
        if is_transposed:
            stride, dilation = up, -dilation
        elif up != ONE:
            continue
        if _proves(at, ">", stride, ZERO) and _proves(at, ">", dilation, ZERO):
            index = along(whole, {_CORE: Position(f"~{outer}")})
            found.append(Window(place, outer, tap, stride, dilation, form.offset, is_transposed, index))
    return found


def _proves(at: Evaluation, operator: str, left: Size, right: Size) -> bool:
    return at.scope.facts.prove(Condition(operator, left, right)) is True


_CORE = "~"


@dataclass
class _Core:
    """The one sum of two positions that an index is a function of, divided by `up`: one on a bound axis, one not."""

    bound: AbstractSet[str]
    form: Affine | None = None
    up: Size = ONE

    def taken(self, index: Formula) -> Formula | None:
        """The index as a function of the position on `_CORE`, which stands for the sum; None where it is none."""
        if not index.free:
            return index
        form, up = affine(index), ONE
        match index:
            case Apply("floordiv", (inner, divisor)) if form is None:
                divided, size = affine(inner), size_of(divisor)
                if divided is not None and size is not None:
                    form, up = divided, size
        if form is not None:
            is_pair = len(form.factors) == 2 and len(form.factors.keys() & self.bound) == 1
            return self._replaced(form, up) if is_pair else None
        if not isinstance(index, Apply):
            return None
        parts = [self.taken(part) for part in index.operands]
        known = [part for part in parts if part is not None]
        return Apply(index.function, tuple(known), index.attributes) if len(known) == len(parts) else None

    def _replaced(self, form: Affine, up: Size) -> Formula | None:
        if self.form is None:
            # counted backwards, it is the same window counted forwards
            (outer,) = form.factors.keys() - self.bound
            is_backwards = up == ONE and (form.factors[outer].constant or 0) < 0
            self.form, self.up = form.times(Size.of(-1)) if is_backwards else form, up
        if up != self.up:
            return None
        for sign in (1, -1) if up == ONE else (1,):
            own = self.form.times(Size.of(sign))
            if own.factors == form.factors and (up == ONE or own.offset == form.offset):
                place: Formula = Position(_CORE)
                if sign < 0:
                    place = Apply("neg", (place,))
                shift = form.offset - own.offset
                return place if shift == ZERO else Apply("add", (place, SizeValue(shift)))
        return None
