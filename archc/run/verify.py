"""A generated module against the reference, at sizes that tell different mistakes apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from archc.ir.graph import TypedGraph
from archc.readings.values import MeaningError
from archc.run.agreement import Agreement, Comparison, Disagreement, failing_as_disagreement
from archc.run.load import LoadError, instantiate, load_module
from archc.run.sizes import REGIMES, Regime, SizesNotFoundError, built_with, choose

_DRAWS = 3


@dataclass(frozen=True)
class Trial:
    """The comparison at one binding of sizes; `fault` says why there is none."""

    regime: Regime
    sizes: Mapping[str, int]
    comparisons: tuple[Comparison, ...] = ()
    fault: str | None = None

    @property
    def ok(self) -> bool:
        """Whether module and reference agree everywhere."""
        return self.fault is None and all(one.ok for one in self.comparisons)


@dataclass(frozen=True)
class VerifyReport:
    """What verification found for a net; prints as a table with rich."""

    net: str
    trials: tuple[Trial, ...]

    @property
    def ok(self) -> bool:
        """Whether module and reference agree at all sizes tried."""
        return bool(self.trials) and all(trial.ok for trial in self.trials)

    def to_json(self) -> str:
        """The report as a JSON document; an infinite error is null."""
        trials = []
        for trial in self.trials:
            comparisons = [
                asdict(one) | {"error": one.error if one.error < float("inf") else None, "ok": one.ok}
                for one in trial.comparisons
            ]
            trials.append(asdict(trial) | {"comparisons": comparisons, "ok": trial.ok})
        return json.dumps({"schema": 1, "net": self.net, "ok": self.ok, "trials": trials}, indent=2)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from map(_table, self.trials)
        if self.ok:
            yield Text(f"{self.net}: module and reference agree", style="green")
        else:
            yield Text(f"{self.net}: module and reference differ", style="bold red")


def verify(
    graph: TypedGraph,
    source: str,
    *,
    sizes: Mapping[str, int] | None = None,
    regimes: Sequence[Regime] = REGIMES,
    seed: int = 0,
    name: str | None = None,
) -> VerifyReport:
    """Compare the module in `source` with the reading of its graph, forward and backward, in float64.

    At each regime of sizes (those in `sizes` and those the graph was built with are kept), on random inputs and
    parameters: every output to 1e-9, the gradient of every parameter and real input to 1e-5 of the finite differences
    of the reference. `name` is the module's class, by default the last in the text. Raises LoadError when the text is
    no such module.
    """
    found = load_module(source, name)
    kept = built_with(graph) | dict(sizes or {})
    trials = []
    for number, regime in enumerate(regimes):
        try:
            chosen = choose(graph, regime, kept, seed + number)
        except SizesNotFoundError as error:
            trials.append(Trial(regime, kept, fault=str(error)))
            continue
        trials.append(_trial(graph, found, regime, chosen, seed + number))
    return VerifyReport(graph.net.word, tuple(trials))


def _trial(
    graph: TypedGraph, found: type[torch.nn.Module], regime: Regime, sizes: Mapping[str, int], seed: int
) -> Trial:
    """One comparison, drawn again where a kink lies so near that no direction avoids it."""
    trial = Trial(regime, sizes)
    for draw in range(_DRAWS):
        try:
            with failing_as_disagreement():
                module = instantiate(found, sizes, dtype=torch.float64, seed=seed + draw)
            trial = Trial(regime, sizes, tuple(Agreement(graph, module, sizes, seed + 1000 * draw).compare()))
        except (Disagreement, LoadError, MeaningError) as error:
            notes = "; ".join(getattr(error, "__notes__", ()))
            return Trial(regime, sizes, fault=f"{error}; {notes}" if notes else str(error))
        if all(one.ok or not one.kink for one in trial.comparisons):
            break
    return trial


def _table(trial: Trial) -> Table | Text:
    at = ", ".join(f"{name} = {size}" for name, size in trial.sizes.items())
    title = f"{trial.regime}: {at}" if at else trial.regime
    if trial.fault is not None:
        return Text.assemble((f"{title}\n", "bold"), (trial.fault, "red"))
    table = Table(title=title, title_justify="left")
    table.add_column("tensor")
    table.add_column("what")
    table.add_column("relative error", justify="right")
    table.add_column("limit", justify="right")
    for one in trial.comparisons:
        label = "value" if one.what == "output" else f"gradient of {one.what}"
        style = "" if one.ok else "bold red"
        note = " (kink)" if one.kink else ""
        table.add_row(one.name, label, f"{one.error:.1e}{note}", f"{one.limit:.0e}", style=style)
    return table
