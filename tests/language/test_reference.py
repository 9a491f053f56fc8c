"""The users' reference: every whole example means what it says, as far as the compiler goes today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archc

REFERENCE = Path(__file__).parents[2] / "grammars" / "LANGUAGE.md"
EXAMPLES = re.findall(r"^```arch\n(.*?)^```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
NEEDS_FILES = 'use "'
NOT_YET = "E0410"


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_is_right(number: int) -> None:
    text = EXAMPLES[number]
    if NEEDS_FILES in text:
        text = "\n".join(line for line in text.splitlines() if NEEDS_FILES not in line)
    found = [one for one in archc.check(text) if one.severity == "error" and one.code != NOT_YET]
    assert [str(one) for one in found] == []


def test_what_is_not_built_is_listed() -> None:
    """An example may only give `not yet` for what the reference lists as such."""
    listed = REFERENCE.read_text(encoding="utf-8").split("## Not yet")[1]
    for text in EXAMPLES:
        for one in archc.check(text):
            if one.code == NOT_YET:
                assert one.message.split(" is not")[0] in listed, one.message
