"""Sizes of axes: integers, symbols and their arithmetic, with what can be proved about them."""

from __future__ import annotations

from archc.types.condition import Condition
from archc.types.facts import Facts
from archc.types.limits import SizeError, SizeOverflow
from archc.types.polynomial import Size

__all__ = ["Condition", "Facts", "Size", "SizeError", "SizeOverflow"]
