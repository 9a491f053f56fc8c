"""`python -m tests.benchmarks` measures everything, takes some minutes and prints a table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import all_figures

console = Console()
table = Table("what", "against", "measured", "bound")
with console.status("measuring"):
    for one in all_figures():
        console.log(f"{one.name}: {one.value:.2f} {one.unit}")
        table.add_row(one.name, one.reference, f"{one.value:.2f} {one.unit}", f"{one.bound:g}" if one.bound else "")
console.print(table)
