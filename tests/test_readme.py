"""The README: its commands are those that CI runs, its blocks are what archc gives today.

`ARCHC_UPDATE_README=1 pytest tests/test_readme.py` writes the blocks anew.
"""

from __future__ import annotations

import os
import re
from itertools import takewhile
from pathlib import Path

import pytest

import archc
from archc.ir.parameter import parameters

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SPEC = "specs/kan/kan.arch"
HEAD = "| spec | paper | lines | parameters |\n|---|---|---|---|\n"


def fenced(language: str, body: str) -> tuple[str, str]:
    """The pattern of the first block in a language, and the block it should be."""
    return rf"```{language}\n.*?```\n", f"```{language}\n{body}```\n"


def table() -> str:
    """A row for every spec outside the library."""
    rows = []
    for path in sorted((ROOT / "specs").rglob("*.arch")):
        if path.parent.name == "std":
            continue
        text = path.read_text(encoding="utf-8")
        header = list(takewhile(lambda line: line.startswith("#"), text.splitlines()))
        paper = " ".join(
            line.lstrip("# ") for line in header[1:]
        )  # the first line says what it is, the next who found it
        graph = archc.graph(path)
        hypers = {symbol.name: symbol.default or 1 for symbol in graph.net.symbols if symbol.role == "hyper"}
        learned = [placed for placed in parameters(graph, hypers) if placed.parameter.role == "param"]
        count = sum(placed.entries.evaluate(hypers) for placed in learned)
        name = path.relative_to(ROOT).as_posix()
        rows.append(f"| [{name}]({name}) | {paper} | {len(text.splitlines())} | {count:,} |\n")
    return HEAD + "".join(rows)


def wanted(text: str) -> str:
    """The README with its blocks as they should be."""
    blocks = [
        fenced("arch", (ROOT / SPEC).read_text(encoding="utf-8")),
        fenced("python", archc.build(ROOT / SPEC)),
        (re.escape(HEAD) + r"(?:\|.*\n)*", table()),
    ]
    for pattern, block in blocks:
        text = re.sub(pattern, lambda _, block=block: block, text, count=1, flags=re.DOTALL if "```" in block else 0)
    return text


def test_blocks_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    if os.environ.get("ARCHC_UPDATE_README"):
        README.write_text(wanted(text), encoding="utf-8")
    assert README.read_text(encoding="utf-8") == wanted(text)


def test_commands_are_those_of_ci() -> None:
    text = README.read_text(encoding="utf-8")
    found = re.search(r"```\n(python3 .*)\n(python3 .*)\n```", text)
    assert found
    first, second = found.groups()
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for step in second.split(" && ")[1:]:
        assert step in script
    assert "archc run specs/kan/kan.arch" in first
    assert "examples/digits.py" in first


def test_the_api_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = README.read_text(encoding="utf-8")
    monkeypatch.chdir(ROOT)
    block = re.search(r"```python\n(import archc\n.*?)```", text, re.DOTALL)
    assert block
    names: dict[str, object] = {}
    exec(block.group(1), names)
    assert names["found"] == ()


def test_every_file_it_names_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link
