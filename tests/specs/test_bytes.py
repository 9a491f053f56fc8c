"""The same spec gives the same bytes, whatever the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import archc
from tests.specs.conftest import NAMES, ROOT

# All that one process makes of every spec, in its own order: the module, the graph, the findings.
SCRIPT = """
import json, os, sys
os.umask(int(os.environ["MASK"], 8))
import archc
folder, *names = sys.argv[1:]
made = {}
for name in names:
    path = os.path.join(folder, name + ".arch")
    found = [(one.code, one.message, one.span.start) for one in archc.check(path)]
    made[name] = archc.build(path), repr(archc.graph(path).blocks), found
print(json.dumps(made, sort_keys=True))
"""

PROCESSES = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "MASK": "022"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "MASK": "077"},
    {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "de_DE.UTF-8", "MASK": "000", "PYTHONOPTIMIZE": "1"},
    {"PYTHONHASHSEED": "random", "TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8", "MASK": "027", "COLUMNS": "40"},
]


def test_four_processes_give_the_same_bytes(tmp_path: Path) -> None:
    """Other hash seeds, clocks, locales, masks, folders, orders and spellings of the path."""
    package = str(Path(archc.__file__).parents[1])
    running = []
    for number, variables in enumerate(PROCESSES):
        inside = number == len(PROCESSES) - 1
        folder, names = ("." if inside else str(ROOT)), NAMES[:: -1 if number % 2 else 1]
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", SCRIPT, folder, *names],
                cwd=ROOT if inside else tmp_path,
                env={**os.environ, "PYTHONPATH": package, **variables},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
    ended = [(process.communicate(timeout=120), process.returncode) for process in running]
    for (_, errors), code in ended:
        assert code == 0, errors.decode()
    first, *others = [output for (output, _), _ in ended]
    assert sorted(json.loads(first)) == NAMES
    for other in others:
        assert other == first


def test_a_second_time_in_one_process() -> None:
    for name in NAMES:
        path = ROOT / f"{name}.arch"
        assert archc.build(path) == archc.build(path)


def test_another_form_between_two_builds_leaves_no_trace() -> None:
    path = ROOT / "vision/unet.arch"
    before = archc.build(path)
    archc.build(path, levels=1, width=8)
    assert archc.build(path) == before
