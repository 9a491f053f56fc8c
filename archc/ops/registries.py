"""What this package states, by word. Adding an entry is adding a file."""

from __future__ import annotations

from archc.base.registry import Registry
from archc.ops.operation import Initialiser, Operation, Pointwise, Reduction

POINTWISE: Registry[Pointwise] = Registry("archc.ops.pointwise", Pointwise)
REDUCTIONS: Registry[Reduction] = Registry("archc.ops.reductions", Reduction)
INITIALISERS: Registry[Initialiser] = Registry("archc.ops.initialisers", Initialiser)
OPERATIONS: Registry[Operation] = Registry("archc.ops.operations", Operation)
