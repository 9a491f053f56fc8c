"""The command line: `main` is what the `archc` script calls."""

from __future__ import annotations

from archc.cli.commands import main

__all__ = ["main"]
