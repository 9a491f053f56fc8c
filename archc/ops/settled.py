"""What is said of states that were to satisfy an equation and do not."""

from __future__ import annotations

import json
from typing import ClassVar, final

from archc.ops.expression import number
from archc.ops.operation import Lowered, Lowering, Operation, Routine, Sample

_SETTLED = Routine(
    "_settled",
    '''
def _settled(
    found: Tensor, states: Tensor, dim: int, tolerance: float, place: str
) -> Tensor:
    """`found`, what a step makes of `states` at every position: the same once solved.

    The residual |found - states| is to be at most `tolerance` of the largest |found|
    along `dim`. A warning says where it is not; compiled code, which cannot warn, gives
    nan there.
    """
    size = found.detach().abs().amax(dim, keepdim=True)
    residual = (found - states).detach().abs().amax(dim, keepdim=True)
    # no closer than rounding, to which all the steps that are joined add
    tolerance = max(tolerance, 16 * torch.finfo(found.dtype).eps)
    missed = ~(residual <= tolerance * size)
    if torch.compiler.is_compiling():
        return torch.where(missed, math.nan, found)
    if not found.is_meta and missed.any():
        report = f"{place} is left with a residual of {(residual / size).max():.1e}"
        warnings.warn(f"{report}, above {tolerance:g}", stacklevel=2)
    return found
''',
)


@final
class Settled(Operation):
    """The first operand, which a step makes of the second at every position of the axis `over`; where the two differ
    by more than `tolerance` the generated module says so, of the loop at `place`. A pass makes it: it has no text."""

    word = "settled"
    samples: ClassVar[tuple[Sample, ...]] = ()
    over: str
    tolerance: float
    place: str

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        found, states = to.operands
        spread = to.spread(found, states.axes)
        arguments = (spread.text, states.text, str(to.dim(states, self.over)), number(self.tolerance))
        text = f"{to.routine(_SETTLED)}({', '.join(arguments)}, {json.dumps(self.place)})"
        return (Lowered(text, states.axes),)
