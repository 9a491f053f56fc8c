"""Every named operation keeps its contract: none is named here, but for the few with a known answer."""

from __future__ import annotations

import inspect

import pytest

from archc.base.diagnostic import Findings
from archc.base.span import Source
from archc.ops.operation import Axes, Fresh, NewAxes, Operation
from archc.ops.registries import INITIALISERS, OPERATIONS, POINTWISE, REDUCTIONS
from archc.syntax.parse import parse
from archc.types.size import Size
from archc.types.tensor_type import Axis

ALL = list(OPERATIONS)
SORTS = {"axes", "axis", "new axes", "new axis", "size", "int", "real", "bool", "choice"}


def named(operation: type[Operation]) -> str:
    return operation.word


def example(operation: type[Operation]) -> Operation:
    """An instance with something for every attribute that has no default."""
    old: Axes = (Axis("a", Size.of(2)), Axis("b", Size.of(3)))
    new: NewAxes = (Fresh("c", Size.of(2)), Fresh("d", Size.of(3)))
    given = {"axes": old, "axis": old[:1], "new axes": new, "new axis": new[:1], "size": Size.of(2)}
    return operation(**{one.name: given[one.sort] for one in operation.attributes() if one.required})


@pytest.mark.parametrize("operation", ALL, ids=named)
def test_states_what_it_is(operation: type[Operation]) -> None:
    assert inspect.getdoc(operation)
    assert inspect.getdoc(inspect.getmodule(operation))
    assert getattr(operation, "__final__", False)
    assert all(one.sort in SORTS for one in operation.attributes())
    assert all(one.choices for one in operation.attributes() if one.sort == "choice")
    assert example(operation) == example(operation)
    assert hash(example(operation)) == hash(example(operation))


@pytest.mark.parametrize("operation", ALL, ids=named)
def test_shows_right_and_wrong_uses(operation: type[Operation]) -> None:
    right = [sample for sample in operation.samples if sample.code is None]
    wrong = [sample for sample in operation.samples if sample.code is not None]
    assert len(right) >= 2
    assert len(wrong) >= 2
    assert all(operation.word in sample.body for sample in operation.samples)


@pytest.mark.parametrize("operation", ALL, ids=named)
@pytest.mark.parametrize("arity", [1, 2, 3, 5])
def test_meaning_is_a_block_of_the_language(operation: type[Operation], arity: int) -> None:
    if operation.variadic or arity == 1:
        text = f"block meaning {example(operation).meaning(arity)}"
        findings = Findings()
        spec = parse(Source("meaning.arch", text), findings)
        assert not list(findings)
        assert spec is not None
        (block,) = spec.definitions
        assert len(block.outputs) == len(block.body.results)


def test_words_are_distinct() -> None:
    words = [entry.word for registry in (POINTWISE, REDUCTIONS, OPERATIONS, INITIALISERS) for entry in registry]
    assert len(words) == len(set(words))
