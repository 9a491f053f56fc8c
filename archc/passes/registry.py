"""The passes, by word. Adding one is adding a file."""

from __future__ import annotations

from archc.base.registry import Registry
from archc.passes.rewrite import Pass

PASSES: Registry[Pass] = Registry("archc.passes", Pass)
