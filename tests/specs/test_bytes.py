"""The same spec gives the same bytes, whatever the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import archc
from tests.specs.conftest import NAMES, ROOT

# Each process writes all that it makes of every spec: the module, the graph, the findings.
SCRIPT = """
import os, sys
os.umask(int(os.environ["MASK"], 8))
import archc
from archc.ir.text import print_graph
for path in sys.argv[1:]:
    print(archc.build(path), print_graph(archc.graph(path)), archc.check(path), sep="\\n")
"""

PROCESSES = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "MASK": "022"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "MASK": "077"},
    {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "de_DE.UTF-8", "MASK": "000", "PYTHONOPTIMIZE": "1"},
    {"PYTHONHASHSEED": "random", "TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8", "MASK": "027", "COLUMNS": "40"},
]


def test_four_processes_give_the_same_bytes(tmp_path: Path) -> None:
    root = str(Path(archc.__file__).parents[1])
    paths = [str(ROOT / f"{name}.arch") for name in NAMES]
    running = []
    for number, variables in enumerate(PROCESSES):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": "utf-8", **variables}
        order = paths if number % 2 == 0 else paths[::-1]
        command = [sys.executable, "-c", SCRIPT, *order]
        pipe = subprocess.PIPE
        running.append((order, subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe)))
    ...


def test_a_second_time_in_one_process() -> None:
    for name in NAMES:
        path = ROOT / f"{name}.arch"
        assert archc.build(path) == archc.build(path)
