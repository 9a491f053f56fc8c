"""From a formula to tensors: every subformula once, over just the axes it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce, SizeValue, Training, walk
from archc.readings.schedule.access import read
from archc.readings.schedule.condition import reduce_where
from archc.readings.schedule.contract import fold_bias, sum_of
from archc.readings.schedule.scope import Scope
from archc.readings.schedule.tensor import Laid
from archc.types.size import Size

_CHUNK = 16
_WHOLE = ("floordiv", "mod", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not")


@dataclass
class Evaluation:
    """The evaluation of one formula; `prefer` is the order of axes that its user would like."""

    scope: Scope
    sizes: dict[str, Size]
    prefer: tuple[str, ...] = ()
    done: dict[tuple[int, bool], tuple[Formula, Laid]] = field(default_factory=dict)

    def value(self, formula: Formula, *, real: bool = False) -> Laid:
        """The tensor of a formula. With `real`, positions are real numbers from the start, in the precision at hand."""
        stack = [(formula, real)]
        while stack:
            # deep formulas are evaluated from the inside out, not by recursion
            current, wants_real = stack[-1]
            key = (id(current), wants_real)
            if key in self.done:
                stack.pop()
                continue
            parts = self._operands(current, wants_real) if isinstance(current, Apply) else []
            missing = [part for part in parts if (id(part[0]), part[1]) not in self.done]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            # the formula is kept beside its tensor, so that its id stays its own
            self.done[key] = (current, self._compute(current, wants_real))
        return self.done[id(formula), real][1]

    def _compute(self, formula: Formula, real: bool) -> Laid:
        trace = self.scope.trace
        match formula:
            case Literal(value):
                return trace.number(value)
            case SizeValue(size):
                return trace.extent(size)
            case Training():
                return trace.training()
            case Position(axis):
                return trace.positions(axis, self.sizes[axis], real=real)
            case Read():
                return read(self, formula)
            case Apply():
                return self._apply(formula, real)
            case Reduce():
                return self._reduce(formula, real)
        raise TypeError(f"no schedule for {type(formula).__name__}")

    def _apply(self, formula: Apply, real: bool) -> Laid:
        word = formula.function
        operands = [self.done[id(part), inner][1] for part, inner in self._operands(formula, real)]
        if word == "add":
            operands = fold_bias(self, formula, operands)
            if len(operands) == 1:
                return operands[0]
        if word in ("floordiv", "mod") and _multiplies_positions(formula.operands[0]):
            operands[0] = self.scope.trace.loaded(operands[0])
        return self._mapped(word, operands, formula.attributes)

    def _mapped(self, word: str, operands: list[Laid], attributes: tuple[tuple[str, int | float], ...]) -> Laid:
        """A pointwise function; one of many operands in chunks, so that no expression is deep."""
        trace = self.scope.trace
        while len(operands) > _CHUNK:
            chunks = [operands[start : start + _CHUNK] for start in range(0, len(operands), _CHUNK)]
            operands = [
                trace.map(word, chunk, attributes, self.prefer) if len(chunk) > 1 else chunk[0] for chunk in chunks
            ]
        return trace.map(word, operands, attributes, self.prefer)

    def _operands(self, formula: Apply, real: bool) -> list[tuple[Formula, bool]]:
        """The operands of a function, each with whether it is wanted as a real number."""
        inner = self._wants_real(formula, real)
        return [(part, inner and not _is_condition(formula.function, at)) for at, part in enumerate(formula.operands)]

    def _wants_real(self, formula: Apply, real: bool) -> bool:
        if formula.function in _WHOLE:
            return False
        return real or self.scope.result_is_real(formula.function) or self.scope.reads_real(formula)

    def _reduce(self, formula: Reduce, real: bool) -> Laid:
        self.sizes.update((axis.name, axis.size) for axis in formula.axes)
        if formula.condition is not None:
            return reduce_where(self, formula, real)
        if formula.kind in ("sum", "mean"):
            return sum_of(self, formula.axes, formula.body, mean=formula.kind == "mean", real=real)
        return self.fold(formula.kind, self.value(formula.body, real=real), [axis.name for axis in formula.axes])

    def fold(self, kind: str, part: Laid, axes: list[str]) -> Laid:
        """A reduction over axes, which the tensor may lack."""
        names = [axis for axis in part.axes if axis not in axes]
        if not axes:
            # torch reduces all dimensions when it is given none
            return part
        if part.tensor.scalar or any(axis not in part.axes for axis in axes):
            part = self.scope.trace.expanded(part, [*names, *axes], self.all_sizes(part))
        return self.scope.trace.fold(kind, part, axes)

    def all_sizes(self, part: Laid) -> Mapping[str, Size]:
        """Sizes of the axes in scope and of a tensor."""
        return self.sizes | dict(zip(part.axes, part.tensor.shape, strict=True))


def _multiplies_positions(formula: Formula) -> bool:
    """Whether a whole number is made of a product of two positions."""
    products = (part for part in walk(formula) if isinstance(part, Apply) and part.function in ("mul", "pow"))
    return any(len([one for one in part.operands if one.free]) > (part.function == "mul") for part in products)


def _is_condition(word: str, at: int) -> bool:
    return word == "where" and at == 0
