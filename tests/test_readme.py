"""The README: its commands are those that CI runs, its blocks are what archc gives today.

`ARCHC_UPDATE_README=1 pytest tests/test_readme.py` writes the blocks anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import archc
from archc.cli.commands import app
from tests.readme_table import HEAD, evidence, table
from tests.specs.conftest import NAMES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SPEC = "specs/kan/kan.arch"
MAIN = "run specs/operators/mgno.arch --size batch=4 --size h=64 --size w=64"


def fenced(language: str, body: str) -> tuple[str, str]:
    """The pattern of the first block in a language, and the block it should be."""
    return rf"```{language}\n.*?```\n", f"```{language}\n{body}```\n"


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
    assert f".venv/bin/archc {MAIN} && " in first
    assert first.endswith("examples/digits.py")


def test_the_main_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, MAIN.split())
    assert result.exit_code == 0, result.stderr
    assert "u: real[batch, c: 1, h, w], 4 x 1 x 64 x 64" in result.stdout


def test_parity_is_found_where_a_test_names_a_spec() -> None:
    found = evidence()
    assert "gat has the published number of parameters" in found["graphs/gat"]["test_parity_graphs.py"]
    assert found["sequence/lru"] == {"test_parity_sequence.py": ["state spaces"]}  # one of two names in one path
    assert found["operators/tfno"].keys() == {"test_parity_spectral.py"}  # a path in parts
    assert found.keys() <= set(NAMES)


def test_the_api_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = README.read_text(encoding="utf-8")
    monkeypatch.chdir(ROOT)
    block = re.search(r"```python\n(import archc\n.*?)```", text, re.DOTALL)
    assert block
    names: dict[str, object] = {}
    exec(block.group(1), names)
    assert names["found"] == ()


def test_every_file_it_names_is_there() -> None:
    for link in re.findall(r"\]\((?!https:)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link
