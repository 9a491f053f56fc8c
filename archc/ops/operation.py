"""What one file of this package states: an operation, a pointwise function, a reduction or an initialiser.

An `Operation` is a named block of the language: `formula` is its meaning, from which type, value, symmetry and cost
are read; `lower` is the torch call that beats the general schedule. A `Pointwise` function states its readings by hand,
since it is what formulas are made of.
"""

# Annotations are values here, not texts: pydantic would evaluate each text anew for every operation there is.
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, Self, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from archc.formula.algebra import ZERO
from archc.formula.tree import Formula, Reduce
from archc.ops.expression import number
from archc.types.size import Size
from archc.types.tensor_type import Axis, TensorType

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"


class _Frozen(BaseModel):
    # a spec uses few of all the operations, so pydantic builds each when it is first used
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


Axes = Annotated[tuple[Axis, ...], "axes"]
"""The attribute `over = (h, w)`: axes of the first operand."""

OneAxis = Annotated[tuple[Axis], "axis"]
"""The attribute `over = t` of what works along a single axis."""


@dataclass(frozen=True)
class Fresh:
    """An axis that the result gains; `size` is None where the formula decides it."""

    name: str
    size: Size | None = None

    def __str__(self) -> str:
        return self.name if self.size is None else f"{self.name}: {self.size}"


NewAxes = Annotated[tuple[Fresh, ...], "new axes"]
"""The right side of `d -> (head: heads, k: 16)`: axes that the result gains."""

NewAxis = Annotated[tuple[Fresh], "new axis"]
"""The attribute `axis = m`: one axis that the result gains."""


@dataclass(frozen=True)
class Sample:
    """A use of an operation as a net's body, such as `softmax(x, over = d)`, with its inputs' types.

    `code` is the diagnostic an ill-typed sample must give; None for a well-typed one. Random inputs are in [-1, 1], or
    positions inside their axes.
    """

    inputs: str
    body: str
    output: str = "real[]"
    code: str | None = None

    @property
    def spec(self) -> str:
        """The sample as a whole spec."""
        return f"net Sample({self.inputs}) -> (y: {self.output}) {{ return {self.body} }}"


@dataclass(frozen=True)
class Operand:
    """A tensor in the generated code: `text` is a Python expression that may be repeated (a name), `axes` the names of
    its axes in the order they are laid out."""

    text: str
    axes: tuple[str, ...]
    type: TensorType


@dataclass(frozen=True)
class Lowered:
    """The torch expression for one result, and the order in which it lays out the axes."""

    text: str
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Routine:
    """A function that a generated module defines for itself, once, where torch has no call for what is done.

    Its `name` begins with `_`, as no name from a spec does; `needs` are the routines that it calls.
    """

    name: str
    text: str
    needs: tuple["Routine", ...] = ()


def every_axis(operands: Sequence[Operand]) -> tuple[str, ...]:
    """The axes that any of the operands has, laid out as in the widest."""
    widest = max(operands, key=lambda operand: len(operand.axes))
    return tuple(dict.fromkeys((*widest.axes, *(axis for operand in operands for axis in operand.axes))))


class Lowering(Protocol):
    """What the code generator offers to `Operation.lower`."""

    operands: Sequence[Operand]
    results: Sequence[TensorType]

    def dim(self, operand: Operand, axis: str) -> int:
        """Position of an axis counted from the end (-1 is last), so that leading axes do not matter."""

    def size(self, size: Size) -> str:
        """A Python int expression for a size."""

    def arrange(self, operand: Operand, axes: Sequence[str]) -> Operand:
        """The operand with its axes in the given order, constant along those that it lacks."""

    def last(self, operand: Operand, axes: Sequence[str]) -> Operand:
        """The operand with the given axes moved to the end, in the given order."""

    def align(self, operand: Operand, axes: Sequence[str]) -> str:
        """The operand as it broadcasts against a tensor over `axes`, from the last of them on."""

    def spread(self, operand: Operand, axes: Sequence[str]) -> Operand:
        """The operand over all of `axes`, axes of the first result, constant along those it does not have."""

    def routine(self, routine: Routine) -> str:
        """The name of a routine, which the module then defines."""

    def name(self, hint: str, text: str, axes: Sequence[str], type: TensorType) -> Operand:
        """Bind an intermediate expression to a fresh local name and use that."""


@dataclass(frozen=True)
class Attribute:
    """What may be written for a field of an operation. `sort` is `axes`, `axis`, `new axes`, `new axis`, `size` (a
    whole number that may stay symbolic), `int` (one that must be known), `real`, `bool` or `choice` of the words in
    `choices`."""

    name: str
    sort: str
    choices: tuple[str, ...] = ()
    required: bool = True


_SORTS: dict[Any, str] = {Size: "size", int: "int", float: "real", bool: "bool"}


def _attribute(name: str, field: FieldInfo) -> Attribute:
    annotation: Any = field.annotation
    required = field.is_required()
    if get_origin(annotation) is Literal:
        return Attribute(name, "choice", get_args(annotation), required)
    if isinstance(annotation, UnionType):  # `Size | None`: the operation has its own default
        (annotation,) = (one for one in get_args(annotation) if one is not NoneType)
    sort = next((mark for mark in field.metadata if isinstance(mark, str)), None) or _SORTS[annotation]
    return Attribute(name, sort, (), required)


class Operation(_Frozen, ABC):
    """A named operation: a block of the language with a word. Fields are its attributes.

    Attribute annotations: `Axes`, `OneAxis`, `NewAxes`, `NewAxis`, `Size`, `int`, `float`, `bool`, `Literal[...]`;
    inside `formula` each is a hyper-parameter under its field's name (see `hypers`). An arrow `a -> b` in the call
    fills `source` and `target`. `draws` says that it draws random numbers while the module is trained, so that two of
    the same are not one; its formula is what it is in evaluation.
    """

    word: ClassVar[str]
    formula: ClassVar[str] = ""
    samples: ClassVar[tuple[Sample, ...]]
    draws: ClassVar[bool] = False
    slots: ClassVar[tuple[str, ...]] = ("word", "samples")
    variadic: ClassVar[bool] = False

    @classmethod
    def attributes(cls) -> tuple[Attribute, ...]:
        """The attributes in the order they are declared."""
        return tuple(_attribute(name, field) for name, field in cls.model_fields.items())

    @property
    def hypers(self) -> Mapping[str, Any]:
        """What the names in `formula` stand for beside its ports; the attributes, unless an operation adds to them."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def resolved(self, resolve: Callable[[Size], Size]) -> Self:
        """The operation with every size among its attributes replaced."""

        def settle(value: Any) -> Any:
            if isinstance(value, Size):
                return resolve(value)
            if isinstance(value, tuple):
                return tuple(map(settle, value))
            if isinstance(value, Axis | Fresh) and value.size is not None:
                return replace(value, size=resolve(value.size))
            return value

        return self.model_copy(update={name: settle(getattr(self, name)) for name in type(self).model_fields})

    @property
    def merges(self) -> bool:
        """Whether the formula joins those around it, as a block does on an edge, and is scheduled with them: sums of
        products merge into one contraction. Such an operation has no lowering."""
        return False

    def meaning(self, arity: int) -> str:
        """Ports and body in the language, `(x: real[over]) -> (y: real[over]) { return ... }`, for `arity` operands."""
        del arity  # a formula that is written out has its ports written out
        return self.formula

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        """The torch call for these operands, or None where the general schedule does as well."""

    def flops(self, operands: Sequence[TensorType]) -> tuple[Size, ...] | None:
        """Factors whose product counts the operations of the torch call, where they are fewer than the formula's."""


@dataclass(frozen=True)
class Factors:
    """For which factors a the function satisfies f(a x) = b f(x), a common factor of all operands.

    `units` maps a in {1, -1} to b; `positive` maps any a > 0 to a ** positive where it is not None; `linear` says that
    f is linear in its operands together. For a continuous f of one number that is not affine these are all the linear
    maps it commutes with, up to permutation (Wood and Shawe-Taylor, 1996; Pacini et al., arXiv 2401.09235).
    """

    units: tuple[tuple[int, int], ...] = ((1, 1),)
    positive: float | None = None
    linear: bool = False


NONE = Factors()
ODD = Factors(units=((1, 1), (-1, -1)))
EVEN = Factors(units=((1, 1), (-1, 1)))
LINEAR = Factors(units=((1, 1), (-1, -1)), positive=1.0, linear=True)


class Pointwise(_Frozen, ABC):
    """A function of numbers, applied entry by entry. Fields are real attributes with defaults (`slope: float = 0.01`).

    `arity` is the number of operands, None for any number; `takes` their kinds, `real` (any number), `int` or `bool`,
    the last for all that follow. `result` is the kind of the result: `real`, `int`, `bool` or `same` (the
    widest operand).

    Between `low` and `high`, and off `kinks` (for the default attributes), value and derivative are finite and agree.
    `slopes` are the derivatives by the operands in order, expressions of the language over the operands as `value`
    names them, the attributes, and `f`, the value of the function itself. A function of any number of operands has one,
    by its operand `x`, where `rest` is the function of the other operands. There are none where the derivative is zero
    or meaningless. `jumps` says that the value is not continuous all the same, `stops` that it moves but is taken to
    stand still. `flops` counts elementary operations per entry (a library function such as exp or tanh is one). `infix`
    is the Python operator it is written with; `scalar` the Python function for operands that are Python numbers, such
    as `math.sqrt`.
    """

    word: ClassVar[str]
    arity: ClassVar[int | None] = 1
    takes: ClassVar[tuple[str, ...]] = ("real",)
    result: ClassVar[str] = "real"
    low: ClassVar[float] = -math.inf
    high: ClassVar[float] = math.inf
    kinks: ClassVar[tuple[float, ...]] = ()
    factors: ClassVar[Factors] = NONE
    flops: ClassVar[int] = 1
    slopes: ClassVar[tuple[str, ...]] = ()
    jumps: ClassVar[bool] = False
    stops: ClassVar[bool] = False
    infix: ClassVar[str | None] = None
    scalar: ClassVar[str | None] = None
    slots: ClassVar[tuple[str, ...]] = ("word",)

    @abstractmethod
    def value(self, *operands: Any, **_: Any) -> Array:
        """The definition in NumPy float64, entry by entry; called with one positional array per operand."""

    @abstractmethod
    def torch(self, *operands: Any, **_: Any) -> str:
        """The torch expression for operand expressions, called with one positional text per operand.

        Operands may be any expression; the text brackets them where its own grammar asks for it.
        """


class Reduction(_Frozen, ABC):
    """A way of reducing an axis. `identity` is its value on nothing (what a masked entry is replaced by).

    `scatter` is the word that torch's `scatter_reduce` and `index_reduce` know it by. `result` is the kind of the
    result: `real`, `bool` or `same`. `flops` counts operations per entry.
    """

    word: ClassVar[str]
    identity: ClassVar[float]
    scatter: ClassVar[str | None] = None
    result: ClassVar[str] = "same"
    flops: ClassVar[int] = 1
    slots: ClassVar[tuple[str, ...]] = ("word", "identity")

    @abstractmethod
    def value(self, array: Array, axes: tuple[int, ...], where: Array) -> Array:
        """The definition in NumPy float64: reduces the given dimensions over the entries where `where` is true.

        `where` is a boolean array that broadcasts against `array`.
        """

    @abstractmethod
    def torch(self, operand: str, dims: tuple[int, ...]) -> str:
        """The torch expression that reduces the dimensions, all counted from the end or all from the start."""

    def torch_where(self, operand: str, condition: str, dims: tuple[int, ...]) -> str:
        """The same over the entries where `condition` holds, a boolean tensor of the operand's shape, or one that
        broadcasts to it."""
        return self.torch(f"torch.where({condition}, {operand}, {number(self.identity)})", dims)

    def tangent(self, whole: Reduce, entry: Formula) -> Formula:
        """How `whole`, a reduction of this kind, moves where its body moves by `entry`, a formula under its axes; a
        reduction whose derivative is zero or meaningless leaves this out."""
        del whole, entry
        return ZERO


class Initialiser(_Frozen, ABC):
    """A distribution that a parameter is drawn from.

    `arguments` names its real arguments, of which the first `least` must be given.
    """

    word: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]] = ()
    least: ClassVar[int] = 0
    slots: ClassVar[tuple[str, ...]] = ("word",)

    @property
    def is_scaled(self) -> bool:
        """Whether the numbers depend on how many the tensor's units read and feed."""
        marks = "__fan_in__", "__fan_out__"
        text = self.torch("tensor", (1.0,) * len(self.arguments), *marks)
        return any(mark in text for mark in marks)

    def expects(self, arguments: tuple[float, ...], axes: int) -> str:
        """What it takes, where that is not what it is given: these numbers, for a tensor of so many axes."""
        del arguments, axes
        return ""

    @abstractmethod
    def torch(self, tensor: str, arguments: tuple[float, ...], fan_in: str, fan_out: str) -> str:
        """The torch statement that fills `tensor` in place; `fan_in` and `fan_out` are Python int expressions."""
