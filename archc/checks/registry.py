"""The checks, by word. Adding one is adding a file."""

from __future__ import annotations

from archc.base.registry import Registry
from archc.checks.check import Check

CHECKS: Registry[Check] = Registry("archc.checks", Check)
