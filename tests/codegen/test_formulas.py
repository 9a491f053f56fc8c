"""Generated code against the reference, on random formulas; its text as `ruff` wants it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from archc.codegen.module import generate
from archc.ir.graph import TypedGraph
from tests.codegen.formulas import VALUES, WEIGHTS, Maker
from tests.codegen.graphs import agree, axis, block, compute, graph, param, tensor


def net(seed: int) -> TypedGraph:
    free = [axis("i", "n"), axis("j", "m")]
    formula = Maker(Random(seed)).real(free, 4)
    nodes = [*(param(name, type) for name, type in WEIGHTS.items()), compute("result", tensor(*free), formula)]
    return graph(block("fuzz", VALUES, nodes, ["result"]))


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_random_formulas_agree_with_the_reference(start: int) -> None:
    for seed in range(start, start + 20):
        random = Random(seed)
        agree(net(seed), {"n": random.choice([1, 3, 4]), "m": random.choice([1, 2, 5])}, seed)


def test_the_text_is_as_the_formatter_and_the_linter_want_it(tmp_path: Path) -> None:
    for seed in range(300, 420):
        (tmp_path / f"net_{seed}.py").write_text(generate(net(seed)))
    ruff = [sys.executable, "-m", "ruff"]
    formatted = subprocess.run([*ruff, "format", "--isolated", "--diff", tmp_path], capture_output=True, text=True)
    assert formatted.returncode == 0, formatted.stdout
    clean = subprocess.run(
        [*ruff, "check", "--isolated", "--select", "E,F,I,W", tmp_path], capture_output=True, text=True
    )
    assert clean.returncode == 0, clean.stdout


def test_the_same_graph_gives_the_same_text() -> None:
    assert generate(net(7)) == generate(net(7))
