"""The compiler never imports torch, whose import alone takes longer than compiling every spec."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archc
from archc.base.assets import specs_root

SPEC = specs_root() / "attention" / "attention.arch"

# `torch` cannot be imported in these processes: a lazy import that is never seen from outside fails too.
BARRED = """
import sys

class Bar:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "triton", "safetensors", "scipy", "sklearn"}:
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Bar())
"""

COMMANDS = {
    "check": ["check", str(SPEC), str(specs_root())],
    "build": ["build", str(SPEC)],
    "ir": ["ir", str(SPEC)],
    "summary": ["summary", str(SPEC), "--size", "batch=2", "--size", "n=5"],
    "fmt": ["fmt", "--check", str(SPEC)],
    "list ops": ["list", "ops"],
    "explain": ["explain", "E0100"],
}


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(archc.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-c", BARRED + script, *arguments], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name: str) -> None:
    ended = python("from archc.cli import main\nmain()", *COMMANDS[name])
    assert ended.returncode == 0, ended.stderr
    assert "is imported" not in ended.stderr


def test_interface() -> None:
    script = """
import archc, numpy
path = sys.argv[1]
assert archc.check(path) == ()
graph = archc.graph(path)
graph.nx
archc.build(path)
archc.reference(graph)
assert "torch" not in sys.modules
"""
    ended = python(script, str(SPEC))
    assert ended.returncode == 0, ended.stderr


def test_the_bar_bars() -> None:
    ended = python("import archc.run.load")
    assert ended.returncode != 0
    assert "torch" in ended.stderr
