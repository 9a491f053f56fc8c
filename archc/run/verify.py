"""A generated module against the reference, at sizes that tell different mistakes apart."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from archc.ir.graph import TypedGraph
from archc.ir.state import is_random, trains_apart
from archc.readings.values import MeaningError
from archc.run.agreement import Agreement, Disagreement, failing_as_disagreement
from archc.run.given import checked, filled, given, sizes_of
from archc.run.load import LoadError, instantiate, is_iterative, load_module, solved_to_rounding
from archc.run.report import Trial, VerifyReport
from archc.run.request import Request, RunError
from archc.run.runner import device_of
from archc.run.sizes import REGIMES, Regime, SizesNotFoundError, SizesRefusedError, built_with, choose
from archc.run.weights import load_weights

Array = NDArray[Any]

_DRAWS = 3


def verify(
    graph: TypedGraph,
    source: str,
    *,
    sizes: Mapping[str, int] | None = None,
    inputs: Mapping[str, Path] | None = None,
    weights: Path | None = None,
    device: str = "cpu",
    regimes: Sequence[Regime] | None = None,
    seed: int = 0,
) -> VerifyReport:
    """Compare the module in `source` with the reading of its graph, forward and backward, in float64.

    At each regime of sizes (those in `sizes` and those the graph was built with are kept), on random inputs and
    parameters: every output and state to 1e-9, the gradient of every parameter and real input to 1e-5 of the finite
    differences of the reference. A net that does something else while it trains is compared in that mode too, unless it
    draws random numbers there. What is found by iteration is iterated until it is exact; a note says where it misses
    its tolerance as the spec has it. Given inputs (`.npy` files) or weights (a `.safetensors` file) are compared as
    they are, at the sizes that they have. Raises LoadError when the text is no such module, RunError when what is given
    does not fit the net.
    """
    request = checked(Request(sizes or {}, inputs or {}, weights, device=device, seed=seed))
    arrays = given(graph, request.inputs)
    kept = built_with(graph) | sizes_of(graph, arrays) | dict(request.sizes)
    bench = _Bench(graph, load_module(source), request, arrays, device_of(request.device))
    if regimes is None:
        regimes = ("small",) if bench.is_pinned else REGIMES
    trials = []
    for number, regime in enumerate(regimes):
        try:
            chosen = choose(graph, regime, kept, request.seed + number)
        except SizesRefusedError as error:
            raise RunError(str(error)) from error
        except SizesNotFoundError as error:
            trials.append(Trial(regime, kept, fault=str(error)))
            continue
        filled(graph, arrays, chosen, request.seed)
        with solved_to_rounding(bench.found):
            trial = bench.trial(regime, chosen, request.seed + number)
        trials.append(replace(trial, notes=() if trial.fault else bench.misses(chosen, request.seed + number)))
    return VerifyReport(graph.net.word, tuple(trials))


@dataclass(frozen=True)
class _Bench:
    """What is compared, and what with."""

    graph: TypedGraph
    found: type[nn.Module]
    request: Request
    arrays: Mapping[str, Array]
    device: torch.device

    @property
    def is_pinned(self) -> bool:
        """Whether the user's own numbers say at which sizes they are to be used."""
        return bool(self.arrays) or self.request.weights is not None

    def trial(self, regime: Regime, sizes: Mapping[str, int], seed: int) -> Trial:
        """One comparison, drawn again where a kink lies so near that no direction avoids it."""
        trial = Trial(regime, sizes)
        for draw in range(_DRAWS):
            try:
                agreement = self.agreement(sizes, seed, draw)
                found = agreement.compare()
                if trains_apart(self.graph) and not is_random(self.graph):
                    trained = replace(agreement, training=True).compare()
                    found += [replace(one, name=f"{one.name} (training)") for one in trained]
                trial = replace(trial, comparisons=tuple(found))
            except (Disagreement, LoadError, MeaningError) as error:
                notes = "; ".join(getattr(error, "__notes__", ()))
                return replace(trial, fault=f"{error}; {notes}" if notes else str(error))
            if all(one.ok or not one.kink for one in trial.comparisons):
                break
        return trial

    def misses(self, sizes: Mapping[str, int], seed: int) -> tuple[str, ...]:
        """What the module as it is written warns of on the inputs of a trial."""
        if not is_iterative(self.found):
            return ()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.agreement(sizes, seed, 0).differentiated()
        own = f"<{self.found.__module__}>"
        return tuple(dict.fromkeys(str(one.message) for one in caught if one.filename == own))

    def agreement(self, sizes: Mapping[str, int], seed: int, draw: int) -> Agreement:
        """A draw of what the request leaves open."""
        with failing_as_disagreement():
            module = instantiate(self.found, sizes, dtype=torch.float64, seed=seed + draw).to(self.device).eval()
        is_trained = self.request.weights is not None
        if self.request.weights is not None:
            load_weights(module, self.request.weights)
        return Agreement(self.graph, module, sizes, seed + 1000 * draw, self.arrays, is_trained, self.device)
