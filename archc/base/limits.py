"""How much a spec may ask for, so that a stranger's file cannot make the compiler hang or fill the memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds, inclusive; every excess is a diagnostic, never an exception of Python."""

    file_bytes: int = 2**20
    files: int = 64
    total_bytes: int = 8 * 2**20
    tokens: int = 200_000
    depth: int = 64
    name_length: int = 64
    integer: int = 2**53 - 1
    monomials: int = 256
    degree: int = 8
    nodes: int = 50_000
    repeat: int = 4_096
    block_depth: int = 64
    parameters: int = 2**40
    group_order: int = 4_096
    representation: int = 1_024
    diagnostics: int = 100
    output_bytes: int = 8 * 2**20


LIMITS = Limits()
"""The defaults."""
