"""The cost of a net as a table: one row per instance of a block, formulas below their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from archc.ir.graph import Block, TypedGraph
from archc.readings.amount import NOTHING, Amount
from archc.readings.cost import Cost, Instance, cost
from archc.types.size import Condition, Facts, Size

_SHOWN = {"parameters": "parameters", "flops": "FLOPs", "bytes": "activation bytes"}
_STATES = {"states": "numbers in states"}
_LONGEST = 96


def known_sizes(graph: TypedGraph, sizes: Mapping[str, int] | None = None) -> dict[str, int]:
    """The given values of the net's size symbols over their defaults."""
    defaults = {symbol.name: symbol.default for symbol in graph.net.symbols if symbol.default is not None}
    return defaults | dict(sizes or {})


def summary(graph: TypedGraph, sizes: Mapping[str, int] | None = None) -> Table:
    """Per block instance: output axes, parameters, FLOPs of a forward pass and activation bytes in float32; where a net
    has states, the numbers in them too.

    Each is a formula in the net's size symbols, below what it is at `sizes` and the defaults: a number, or a formula in
    the symbols that stay open. Every row counts all passes of its loops and everything inside it; the first row is the
    total.
    """
    known = known_sizes(graph, sizes)
    given = ", ".join(f"{name} = {value}" for name, value in known.items())
    table = Table(title=graph.net.word, caption=f"at {given}" if given else None, show_lines=True)
    table.add_column("block", overflow="fold")
    table.add_column("output", overflow="fold")
    costs = cost(graph)
    shown = _SHOWN | (_STATES if costs.net.states != NOTHING else {})
    for title in shown.values():
        table.add_column(title, justify="right", overflow="fold")
    notation = _Notation(_conditions(graph.net), known)
    for instance in costs.instances:
        cells = [notation.cell(getattr(instance.cost, name)) for name in shown]
        table.add_row(_name(graph, instance), _outputs(instance), *cells)
    return table


def _conditions(block: Block) -> tuple[Condition, ...]:
    """What is known about the size symbols of a block."""
    return (*block.facts, *(requirement.condition for requirement in block.requirements))


def figures(found: Cost, known: Mapping[str, int]) -> dict[str, dict[str, str | int | None]]:
    """Each amount of a cost as its formula and, where every symbol is known, its number."""
    amounts: Mapping[str, Amount] = vars(found)
    return {
        name: {"formula": str(amount), "number": amount.evaluate(known) if amount.symbols <= known.keys() else None}
        for name, amount in amounts.items()
    }


@dataclass(frozen=True)
class _Notation:
    """How amounts are shown, given conditions on the symbols and the values of some."""

    conditions: tuple[Condition, ...]
    known: Mapping[str, int]

    def cell(self, amount: Amount) -> Text:
        """The number in bold and the formula below it, once when they are the same."""
        number, formula = self.number(amount), self.formula(amount)
        if number == formula:
            return Text(number, style="bold")
        return Text.assemble((number, "bold"), "\n", (formula, "dim"))

    def number(self, amount: Amount) -> str:
        if amount.symbols <= self.known.keys():
            return f"{amount.evaluate(self.known):,}"
        rest = amount.substitute({name: Size.of(value) for name, value in self.known.items()})
        return _normal(rest, Facts(condition.substitute(self.known) for condition in self.conditions))

    def formula(self, amount: Amount) -> str:
        return _normal(amount, Facts(self.conditions)) if amount.symbols else self.number(amount)


def _normal(amount: Amount, facts: Facts) -> str:
    formula = amount.formula
    return _shortened(amount if formula is None else facts.normal(formula))


def _shortened(formula: Amount | Size) -> str:
    text = str(formula)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _name(graph: TypedGraph, instance: Instance) -> Text:
    word = graph.blocks[instance.block].word
    label = Text(word, style="bold") if not instance.path else Text.assemble((instance.path, "bold"), f"\n{word}")
    if instance.passes != Size.of(1):
        label.append(f" x {instance.passes}", style="dim")
    return label


def _outputs(instance: Instance) -> Text:
    return Text("\n".join(f"{value.name}: {value.type}" for value in instance.outputs))
