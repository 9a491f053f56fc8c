"""Arithmetic of numbers that are known when the module is written, and of sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from archc.ops.operation import Pointwise
from archc.ops.registries import POINTWISE
from archc.readings.schedule.tensor import Extent, Laid, Number, Step
from archc.types.size import Size, SizeError

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_SIZES: dict[str, Callable[[Size, Size], Size]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
}


def on_numbers(
    word: str, operands: Sequence[Laid], attributes: Sequence[tuple[str, float]] = ()
) -> Size | float | None:
    """The result where all operands are numbers and it is exact or as the module would compute it."""
    steps = [part.tensor.step for part in operands]
    sizes = [size for step in steps if (size := _size(step)) is not None]
    if len(sizes) == len(steps):
        return _on_sizes(word, sizes)
    if all(isinstance(step, Number) for step in steps):
        return _evaluated(
            POINTWISE[word](**dict(attributes)), [step.value for step in steps if isinstance(step, Number)]
        )
    return None


def _size(step: Step) -> Size | None:
    if isinstance(step, Extent):
        return step.size
    if isinstance(step, Number) and isinstance(step.value, int) and not isinstance(step.value, bool):
        return Size.of(step.value)
    return None


def _on_sizes(word: str, sizes: Sequence[Size]) -> Size | None:
    try:
        if word == "neg":
            return -sizes[0]
        return reduce(_SIZES[word], sizes) if word in _SIZES else None
    except SizeError:
        return None


def _evaluated(function: Pointwise, values: Sequence[float]) -> float | None:
    """The value of a function of literals; one that Python has too, such as math.sqrt, reads better as it stands."""
    if function.scalar is not None:
        return None
    with np.errstate(all="ignore"):
        result = function.value(*map(np.asarray, values)).item()
    return result if isinstance(result, bool | int) or (isinstance(result, float) and math.isfinite(result)) else None
