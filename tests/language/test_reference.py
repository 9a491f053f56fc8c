"""The users' reference: every whole example means what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archc

REFERENCE = Path(__file__).parents[2] / "grammars" / "LANGUAGE.md"
EXAMPLES = re.findall(r"^```arch\n(.*?)^```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
NEEDS_FILES = 'use "'


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_is_right(number: int) -> None:
    text = EXAMPLES[number]
    if NEEDS_FILES in text:
        text = "\n".join(line for line in text.splitlines() if NEEDS_FILES not in line)
    found = [one for one in archc.check(text) if one.severity == "error"]
    assert [str(one) for one in found] == []
