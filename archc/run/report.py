"""What a run and a verification found, as data that travels between processes and prints as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from archc.run.sizes import Regime

What = Literal["output", "parameter", "input"]


@dataclass(frozen=True)
class Statistics:
    """The mean, the standard deviation and the extremes of the entries of an array (of their size, where complex)."""

    mean: float
    std: float
    low: float
    high: float


@dataclass(frozen=True)
class Output:
    """One output of a run: its name, its type in the language, its shape; no statistics when it has no entries."""

    name: str
    type: str
    shape: tuple[int, ...]
    statistics: Statistics | None

    @property
    def cells(self) -> tuple[str, ...]:
        """How it is shown in a table."""
        found = self.statistics
        numbers = (found.mean, found.std, found.low, found.high) if found else ()
        return (" x ".join(map(str, self.shape)) or "scalar", *(f"{number:.4g}" for number in numbers))


@dataclass(frozen=True)
class RunReport:
    """What a run gave: the sizes, the outputs, how many learned numbers the module has, how many seconds its forward
    pass took. Prints as a table with rich."""

    net: str
    sizes: Mapping[str, int]
    outputs: tuple[Output, ...]
    parameters: int
    seconds: float
    device: str
    dtype: str

    def to_json(self) -> str:
        """The report as a JSON document."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunReport:
        """The report that `to_json` wrote."""
        found = json.loads(text)
        outputs = [
            Output(one["name"], one["type"], tuple(one["shape"]), one["statistics"] and Statistics(**one["statistics"]))
            for one in found.pop("outputs")
        ]
        return cls(**found, outputs=tuple(outputs))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(title=self.net, title_justify="left")
        for title in ("output", "type", "shape"):
            table.add_column(title, overflow="fold")
        for title in ("mean", "std", "min", "max"):
            table.add_column(title, justify="right", overflow="fold")
        for one in self.outputs:
            table.add_row(one.name, Text(one.type), *one.cells)
        yield table
        if self.sizes:
            yield f"sizes: {_bindings(self.sizes)}"
        yield f"{self.parameters:,} parameters, {1000 * self.seconds:.2f} ms forward on {self.device} in {self.dtype}"


@dataclass(frozen=True)
class Comparison:
    """One tensor: its relative error, the limit it has to keep, and whether a kink got in the way."""

    what: What
    name: str
    error: float
    limit: float
    kink: bool = False

    @property
    def ok(self) -> bool:
        """Whether the error is a number within the limit."""
        return self.error <= self.limit

    @property
    def cells(self) -> tuple[str, ...]:
        """How it is shown in a table."""
        label = "value" if self.what == "output" else f"gradient of {self.what}"
        return (self.name, label, f"{self.error:.1e}{' (kink)' if self.kink else ''}", f"{self.limit:.0e}")


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

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        title = f"{self.regime}: {_bindings(self.sizes)}" if self.sizes else self.regime
        if self.fault is not None:
            yield Text.assemble((title, "bold"), "\n", (self.fault, "red"))
            return
        table = Table(title=title, title_justify="left")
        table.add_column("tensor", overflow="fold")
        table.add_column("what")
        table.add_column("relative error", justify="right")
        table.add_column("limit", justify="right")
        for one in self.comparisons:
            table.add_row(*one.cells, style="" if one.ok else "bold red")
        yield table


@dataclass(frozen=True)
class VerifyReport:
    """What verification found for a net; prints as tables with rich."""

    net: str
    trials: tuple[Trial, ...]

    @property
    def ok(self) -> bool:
        """Whether module and reference agree at all sizes tried."""
        return bool(self.trials) and all(trial.ok for trial in self.trials)

    def to_json(self) -> str:
        """The report as a JSON document; an error that is no finite number is null."""
        trials = []
        for trial in self.trials:
            comparisons = [
                asdict(one) | {"error": one.error if one.error < inf else None, "ok": one.ok}
                for one in trial.comparisons
            ]
            trials.append(asdict(trial) | {"comparisons": comparisons, "ok": trial.ok})
        return json.dumps({"schema": 1, "net": self.net, "ok": self.ok, "trials": trials}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> VerifyReport:
        """The report that `to_json` wrote; what was no finite number is infinite."""
        found = json.loads(text)
        return cls(found["net"], tuple(map(_trial, found["trials"])))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.trials
        if self.ok:
            yield Text(f"{self.net}: module and reference agree", style="green")
        else:
            yield Text(f"{self.net}: module and reference differ", style="bold red")


def _trial(found: Mapping[str, Any]) -> Trial:
    values = {name: value for name, value in found.items() if name != "ok"}
    comparisons = tuple(map(_comparison, values.pop("comparisons")))
    return Trial(**values, comparisons=comparisons)


def _comparison(found: Mapping[str, Any]) -> Comparison:
    values = {name: value for name, value in found.items() if name != "ok"}
    return Comparison(**values | {"error": inf if values["error"] is None else values["error"]})


def _bindings(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())
