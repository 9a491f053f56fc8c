"""Adding an entry is adding a file, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from archc.base.registry import RegistryError
from archc.driver import build, check, graph
from archc.ops.registries import INITIALISERS, OPERATIONS, POINTWISE, REDUCTIONS
from archc.run.verify import verify

DIFFERENCE = '''"""The step from each entry to the next."""
from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample


@final
class Difference(Operation):
    """x[t + 1] - x[t] along a periodic axis."""

    word = "difference"
    formula = """(x: real[over]) -> (y: real[over]) {
        let y[over] = x[over: (over + 1) % size(over)] - x
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (Sample("x: real[t]", "difference(x, over = t)", "real[t]"),)
    over: Axes

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        return (Lowered(f"{x.text}.roll(-1, {to.dim(x, self.over[0].name)}) - {x.text}", x.axes),)
'''

SOFTER = '''"""A softer step."""
from typing import final

import numpy as np

from archc.ops.operation import ODD, Array, Pointwise


@final
class Softer(Pointwise):
    """tanh(x / 2)."""

    word = "softer"
    factors = ODD

    def value(self, x: Array) -> Array:
        return np.tanh(x / 2)

    def torch(self, x: str) -> str:
        return f"torch.tanh({x} / 2)"
'''


def test_an_operation_is_one_file(tmp_path: Path) -> None:
    spec = "net N(x: real[batch, t: 6]) -> (y: real[batch, t: 6]) { return difference(x, over = t) }"
    assert [one.code for one in check(spec)] == ["E0201"]
    (tmp_path / "difference.py").write_text(DIFFERENCE, encoding="utf-8")
    with OPERATIONS.extended(tmp_path):
        assert verify(graph(spec), build(spec), regimes=("primes",)).ok
        assert ".roll(-1, -1)" in build(spec)
    assert "difference" not in OPERATIONS


def test_a_function_is_one_file(tmp_path: Path) -> None:
    spec = "net N(x: real[batch, d: 6]) -> (y: real[batch, d: 2]) { return x |> layer(d -> d: 2, neuron = softer) }"
    (tmp_path / "softer.py").write_text(SOFTER, encoding="utf-8")
    with POINTWISE.extended(tmp_path):
        assert verify(graph(spec), build(spec), regimes=("primes",)).ok


def test_a_file_that_forgets_its_samples_is_refused_by_name(tmp_path: Path) -> None:
    lines = [line for line in DIFFERENCE.splitlines() if "samples:" not in line]
    (tmp_path / "forgetful.py").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(RegistryError, match=r"Difference in forgetful\.py.*`samples`"), OPERATIONS.extended(tmp_path):
        pass


def test_there_are_the_fifty_functions_and_every_reduction() -> None:
    assert sum(entry.arity == 1 for entry in POINTWISE) >= 50
    assert {entry.word for entry in REDUCTIONS} == {"sum", "mean", "prod", "max", "min", "logsumexp", "any", "all"}
    assert len(INITIALISERS) >= 9
