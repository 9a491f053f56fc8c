"""What sorting operations share: the rank of an entry."""

from __future__ import annotations


def rank(*, descending: bool) -> str:
    """The statement that defines `rank`: how many entries of x along `over` stand before one when they are sorted.
    Equal entries stay in their order."""
    before = ">" if descending else "<"
    return f"let rank[over] = sum m where x[over: m] {before} x or (x[over: m] == x and m < over): 1"
