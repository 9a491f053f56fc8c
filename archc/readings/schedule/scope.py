"""What a formula stands in: the values it reads, what is known of sizes, and the tensors built so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archc.formula.tree import Apply, Formula, Read, Reduce
from archc.ops.registries import POINTWISE
from archc.readings.schedule.tensor import Laid
from archc.readings.schedule.trace import Trace
from archc.types.size import Facts, Size, SizeError
from archc.types.tensor_type import TensorType

_TYPICAL = 64
_TYPICAL_RUN_TIME = 256


@dataclass
class Scope:
    """The values of a region so far. `typical` are plausible numbers for size symbols, which decide between orders of
    contraction and nothing else; `uses` counts the readers of each value."""

    trace: Trace
    facts: Facts
    values: dict[str, Laid] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    typical: Mapping[str, int] = field(default_factory=dict)
    uses: Mapping[str, int] = field(default_factory=dict)

    def estimate(self, size: Size) -> float:
        """A plausible number for a size."""
        try:
            return float(size.evaluate({name: self.typical.get(name, _TYPICAL_RUN_TIME) for name in size.symbols}))
        except SizeError:
            return float(_TYPICAL)

    def result_is_real(self, word: str) -> bool:
        """Whether a pointwise function always gives real numbers."""
        return POINTWISE[word].result == "real"

    def reads_real(self, formula: Formula) -> bool:
        """Whether a real value stands in an arithmetic expression, so that its positions join real arithmetic."""
        stack = [formula]
        while stack:
            part = stack.pop()
            match part:
                case Read(name):
                    if self.types[name].kind.word in ("real", "simplex", "point", "complex"):
                        return True
                case Apply(word, operands):
                    if self.result_is_real(word):
                        return True
                    if POINTWISE[word].result == "same":
                        stack.extend(operands)
                case Reduce(_, _, body, _):
                    stack.append(body)
                case _:
                    pass
        return False
