"""What to call a tensor that the spec does not name."""

from __future__ import annotations

from collections.abc import Callable

from archc.readings.schedule.tensor import (
    Cast,
    Conv,
    ConvTranspose,
    Einsum,
    Fold,
    Invoke,
    Linear,
    Map,
    Matmul,
    Range,
    Scatter,
    Step,
    Take,
    Tensor,
    Windows,
    Written,
)

_STEPS: dict[type[Step], str] = {Cast: "numbers", Scatter: "inbox", Take: "picked", Windows: "windows"}
_WORDS = {
    "abs": "magnitude",
    "add": "total",
    "div": "ratio",
    "max": "largest",
    "maximum": "largest",
    "mean": "average",
    "min": "smallest",
    "minimum": "smallest",
    "mod": "remainder",
    "mul": "product",
    "neg": "negative",
    "pow": "power",
    "prod": "product",
    "round": "rounded",
    "sub": "difference",
    "sum": "total",
    "where": "chosen",
}
_CONTRACTIONS = (Conv, ConvTranspose, Einsum, Linear, Matmul)


def hint_of(tensor: Tensor, name_of: Callable[[Tensor], str | None]) -> str:
    """A word for a tensor; `name_of` gives the names that tensors have already."""
    step = tensor.step
    match step:
        case Written(hint=hint) if hint:
            return hint
        case Map(word):
            return "mask" if tensor.kind == "bool" else _WORDS.get(word, word)
        case Fold(kind):
            return _WORDS.get(kind, kind)
        case Range(hint=hint) if hint:
            return f"{hint.lstrip('@~')}_position"
        case Invoke(module):
            return module
    if isinstance(step, _CONTRACTIONS):
        return f"of_{_source(tensor, name_of)}"
    if type(step) in _STEPS:
        return _STEPS[type(step)]
    if tensor.operands:
        first = tensor.operands[0]
        known = name_of(first)
        return known.rpartition(".")[2] if known else hint_of(first, name_of)
    return "value"


def _source(tensor: Tensor, name_of: Callable[[Tensor], str | None]) -> str:
    """The nearest name that a contraction is of."""
    while True:
        data = [operand for operand in tensor.operands if not operand.learned and not operand.scalar]
        if not data:
            return "weights"
        tensor = data[0]
        known = name_of(tensor)
        if known is not None:
            return known.rpartition(".")[2].removeprefix("of_")


def spine(tensor: Tensor) -> set[int]:
    """The tensors that this one is made of step by step, with weights and numbers beside them at most."""
    found: set[int] = set()
    while True:
        data = [operand for operand in tensor.operands if not operand.learned and not operand.scalar]
        if len(data) != 1:
            return found
        tensor = data[0]
        found.add(tensor.serial)
