"""The one allocator of names in generated code."""

from __future__ import annotations

import re
from collections.abc import Iterable

from archc.ir.attribute import RESERVED, attribute

_LONGEST = 64


class Names:
    """Names in one scope; those asked for twice get a number."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def fresh(self, hint: str, joint: str = "_") -> str:
        """A name like `hint` that is a free identifier, not a keyword, a builtin or what torch's modules use; where it
        is taken, `joint` and a number follow."""
        word = re.sub(r"[^A-Za-z0-9_]", "_", hint)[:_LONGEST].lstrip("_") or "value"
        if word[0].isdigit():
            word = f"value_{word}"
        name, number = word, 2
        while self.is_taken(name):
            name, number = f"{word}{joint}{number}", number + 1
        self._taken.add(name)
        return name

    def is_taken(self, hint: str) -> bool:
        """Whether the name will not be just `hint`."""
        return hint in self._taken or hint in RESERVED

    def release(self, name: str) -> None:
        """Give back a name that nothing uses."""
        self._taken.discard(name)


def camel(word: str) -> str:
    """A class's name: `set_classifier` is `SetClassifier`; capitals that are there stay."""
    parts = [part for part in word.split("_") if part]
    return "".join(part[0].upper() + part[1:] for part in parts) or "Block"


__all__ = ["Names", "attribute", "camel"]
