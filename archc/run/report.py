"""What a run and a verification found, as data that travels between processes and prints as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from archc.run.sizes import Regime

What = Literal["output", "state", "parameter", "input"]


@dataclass(frozen=True)
class Statistics:
    """The mean, the standard deviation and the extremes of the entries of an array (of their size, where complex)."""

    mean: float
    std: float
    min: float
    max: float


@dataclass(frozen=True)
class Output:
    """One output of a run: its name, its type in the language, its shape; no statistics when it has no entries."""

    name: str
    type: str
    shape: tuple[int, ...]
    statistics: Statistics | None

    def __rich__(self) -> Text:
        shape = " x ".join(map(str, self.shape)) or "one number"
        head = Text.assemble((self.name, "bold"), f": {self.type}, {shape}")
        if self.statistics is None:
            return head
        numbers = (f"{word} {number:.4g}" for word, number in asdict(self.statistics).items())
        return head.append(f"\n    {', '.join(numbers)}")


@dataclass(frozen=True)
class RunReport:
    """What a run gave: the sizes, the outputs, how many learned numbers the module has, how many seconds its forward
    pass took. Prints with rich."""

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
        yield Text(self.net, style="bold")
        yield from self.outputs
        if self.sizes:
            yield Text(f"sizes: {_bindings(self.sizes)}")
        time = f"{1000 * self.seconds:.2f} ms forward on {self.device} in {self.dtype}"
        yield Text(f"{self.parameters:,} parameters, {time}")


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
        label = "value" if self.what in ("output", "state") else "gradient"
        return (self.name, label, f"{self.error:.1e}{' (kink)' if self.kink else ''}", f"{self.limit:.0e}")


@dataclass(frozen=True)
class Trial:
    """The comparison at one binding of sizes; `fault` says why there is none, `notes` what the module warns of that is
    no disagreement: a search as the spec asks for it that ends too early."""

    regime: Regime
    sizes: Mapping[str, int]
    comparisons: tuple[Comparison, ...] = ()
    fault: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether module and reference agree everywhere."""
        return self.fault is None and all(one.ok for one in self.comparisons)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        title = f"{self.regime}: {_bindings(self.sizes)}" if self.sizes else self.regime
        if self.fault is not None:
            yield Text.assemble((title, "bold"), "\n", (self.fault, "red"))
            return
        table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("tensor", min_width=12, overflow="fold")
        table.add_column("compared", no_wrap=True)
        table.add_column("error", justify="right", no_wrap=True)
        table.add_column("limit", justify="right", no_wrap=True)
        for one in self.comparisons:
            table.add_row(*one.cells, style="" if one.ok else "bold red")
        yield table
        yield from (Text(f"warning: {note}", style="yellow") for note in self.notes)


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
    comparisons, notes = tuple(map(_comparison, values.pop("comparisons"))), tuple(values.pop("notes"))
    return Trial(**values, comparisons=comparisons, notes=notes)


def _comparison(found: Mapping[str, Any]) -> Comparison:
    values = {name: value for name, value in found.items() if name != "ok"}
    return Comparison(**values | {"error": inf if values["error"] is None else values["error"]})


def _bindings(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())
