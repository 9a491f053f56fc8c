"""NumPy as `np`, loaded when something is first computed: to check a spec is to read what operations mean, not to run
them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
else:

    class _NumPy:
        def __getattr__(self, name: str) -> object:
            found = getattr(import_module("numpy"), name)
            setattr(self, name, found)
            return found

    np = _NumPy()

__all__ = ["np"]
