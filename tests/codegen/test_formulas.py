"""Generated code against the reference, on random formulas."""

from __future__ import annotations

from random import Random

import pytest
from formulas import VALUES, WEIGHTS, Maker
from graphs import agree, axis, block, compute, graph, param, tensor


def net(seed: int):
    random = Random(seed)
    free = [axis("i", "n"), axis("j", "m")]
    formula = Maker(random).real(free, 4)
    nodes = [*(param(name, type) for name, type in WEIGHTS.items()), compute("result", tensor(*free), formula)]
    return graph(block("fuzz", VALUES, nodes, ["result"]))


@pytest.mark.parametrize("seed", range(300))
def test_random_formulas_agree_with_the_reference(seed: int) -> None:
    random = Random(seed)
    agree(net(seed), {"n": random.choice([1, 3, 4]), "m": random.choice([1, 2, 5])}, seed)
