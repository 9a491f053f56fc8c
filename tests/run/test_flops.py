"""The cost reading against what torch counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archc.base.assets import specs_root
from archc.driver import build, graph
from archc.readings.cost import cost
from archc.run.feed import inputs
from archc.run.load import instantiate, load_module
from archc.run.sizes import choose

SPECS = sorted(path for path in specs_root().rglob("*.arch") if path.parent.name != "std")


# What torch does not count, or counts otherwise: sums of products taken entry by entry, steps of a recurrence that are
# joined.
ROUGHLY = frozenset(
    (
        "deltanet",
        "egnn",
        "fnet",
        "kat",
        "linear_transformer",
        "lru",
        "mamba",
        "nbfnet",
        "pointer",
        "s5",
        "set_pointer",
    )
)

# A fixpoint costs what it may take at most.
AT_MOST = frozenset(("anie", "deq"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_contractions_and_parameters(path: Path) -> None:
    typed = graph(path)
    sizes, found = choose(typed, "small"), cost(typed).net
    module = instantiate(load_module(build(path)), sizes, dtype=torch.float64)
    with FlopCounterMode(display=False) as counter:
        module(*map(torch.from_numpy, inputs(typed, sizes).values()))
    counted, wanted = counter.get_total_flops(), found.contractions.evaluate(sizes)
    if path.stem in AT_MOST:
        assert 0 < counted <= wanted
    else:
        assert (counted / 2 < wanted < 2 * counted) if path.stem in ROUGHLY else counted == wanted
    assert sum(p.numel() for p in module.parameters()) == found.parameters.evaluate(sizes)
