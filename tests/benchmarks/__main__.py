"""`python -m tests.benchmarks` measures everything, takes some minutes and prints a table."""

from __future__ import annotations

import os

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import all_figures

console = Console()
table = Table("what", "against", "measured", "bound")
# on a machine with other work the threads of a net wait for one another, and its times say little
console.print(f"load average before: {os.getloadavg()[0]:.1f}")
with console.status("measuring"):
    for one in all_figures():
        console.log(f"{one.name}: {one.value:.2f} {one.unit}")
        table.add_row(one.name, one.reference, f"{one.value:.2f} {one.unit}", f"{one.bound:g}" if one.bound else "")
console.print(table)
