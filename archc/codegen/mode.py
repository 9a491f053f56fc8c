"""In which mode of the module a tensor is needed: while it trains, in evaluation, or in both."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Flag
from typing import NamedTuple

from archc.readings.schedule.region import Schedule, Stored
from archc.readings.schedule.tensor import Choose, Input, Map, Tensor


class Mode(Flag):
    """The modes of a module; none is where nothing is needed."""

    NEVER = 0
    TRAINING = 1
    EVALUATION = 2
    BOTH = 3

    @property
    def test(self) -> str:
        """The condition under which a statement runs that is for this mode alone."""
        return {Mode.TRAINING: "self.training", Mode.EVALUATION: "not self.training"}.get(self, "")


class Root(NamedTuple):
    """A tensor that a statement reads, and when."""

    tensor: Tensor
    mode: Mode = Mode.BOTH


def modes(roots: Iterable[Root]) -> dict[int, Mode]:
    """The modes in which each tensor is needed, by its serial number."""
    found: dict[int, Mode] = {}
    stack = list(roots)
    while stack:
        tensor, mode = stack.pop()
        known = found.get(tensor.serial, Mode.NEVER)
        if not mode & ~known:
            continue
        found[tensor.serial] = known | mode
        if isinstance(tensor.step, Choose):
            training, evaluation = tensor.operands
            stack += [Root(training, mode & Mode.TRAINING), Root(evaluation, mode & Mode.EVALUATION)]
        else:
            stack += [Root(operand, mode) for operand in tensor.operands]
    return found


def stored(item: Stored) -> Root:
    """What is stored, and when: not where the state keeps what it holds."""
    value, own = item.value, Input(item.node.state)
    if isinstance(value.step, Choose):
        training, evaluation = value.operands
        if evaluation.step == own:
            return Root(training, Mode.TRAINING)
        if training.step == own:
            return Root(evaluation, Mode.EVALUATION)
    return Root(value)


def copied(plan: Schedule, others: Iterable[Root]) -> list[str]:
    """The states to be copied before they change, since something else than their own new value reads them in a mode
    in which they change: it may be read after that, by a gradient above all. `others` are read besides states' values.
    """
    inputs = {t.step.name: t for t in plan.trace.tensors.values() if isinstance(t.step, Input)}
    items = [item for item in plan.statements if isinstance(item, Stored)]
    beside, found = list(others), []
    for item in items:
        own = stored(item)
        # entry by entry a tensor may be written to where it is read; a view of it may not
        roots = [*beside, *(stored(one) for one in items if one is not item or not isinstance(own.tensor.step, Map))]
        needed = modes(roots).get(inputs[item.node.state].serial, Mode.NEVER)
        if needed & own.mode:
            found.append(item.node.state)
    return found
