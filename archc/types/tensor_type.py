"""What a value is: its kind and its named axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archc.types.size import Size

KINDS = ("real", "complex", "int", "bool", "index", "simplex", "point")


@dataclass(frozen=True, slots=True)
class Axis:
    """A named axis and its size; `twin` names the axis over the same set (`m ~ n`)."""

    name: str
    size: Size
    twin: str | None = None

    def __str__(self) -> str:
        if self.twin is not None:
            return f"{self.name} ~ {self.twin}"
        size = str(self.size)
        return self.name if size == self.name else f"{self.name}: {size}"


@dataclass(frozen=True, slots=True)
class Kind:
    """The word of a kind; `axis` is the axis an `index`, `simplex` or `point` speaks of, `size` how many positions an
    `index` may take (with `axis` None for a fixed count)."""

    word: str
    axis: str | None = None
    size: Size | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic takes it: neither truth values nor complex numbers, which are pairs of reals there."""
        return self.word not in ("bool", "complex")

    @property
    def is_integer(self) -> bool:
        """Whether values are whole numbers (`int`, `index`): they carry no gradient and may index an axis."""
        return self.word in ("int", "index")

    @property
    def is_real(self) -> bool:
        """Whether values are real numbers (`real`, `simplex`, `point`)."""
        return self.word in ("real", "simplex", "point")

    def under(self, names: Mapping[str, str]) -> Kind:
        """The kind of values whose whole axes are those of `names`, under new names: real where a distribution or a
        point has lost the axis that it speaks of."""
        if self.word not in ("simplex", "point") or self.axis is None:
            return self
        return Kind(self.word, names[self.axis], self.size) if self.axis in names else REAL

    def __str__(self) -> str:
        if self.axis is not None:
            return f"{self.word}({self.axis})"
        return self.word if self.size is None else f"{self.word}({self.size})"


REAL = Kind("real")
INT = Kind("int")
BOOL = Kind("bool")


@dataclass(frozen=True)
class TensorType:
    """A kind over named axes. Names are distinct; their order is the boundary's order, never part of the meaning."""

    kind: Kind
    axes: tuple[Axis, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Axis names in order."""
        return tuple(axis.name for axis in self.axes)

    @cached_property
    def sizes(self) -> Mapping[str, Size]:
        """Size by axis name."""
        return {axis.name: axis.size for axis in self.axes}

    def substitute(self, sizes: Mapping[str, Size]) -> TensorType:
        """The same type with size symbols replaced."""
        kind = self.kind
        if kind.size is not None:
            kind = Kind(kind.word, kind.axis, kind.size.substitute(sizes))
        return TensorType(kind, tuple(Axis(a.name, a.size.substitute(sizes), a.twin) for a in self.axes))

    def __str__(self) -> str:
        return f"{self.kind}[{', '.join(map(str, self.axes))}]"
