"""How deep a tree nests: bounded before anyone walks it, so that recursive walks are safe everywhere else."""

from __future__ import annotations

from collections.abc import Iterator

from archc.base.diagnostic import Fault
from archc.base.limits import Limits
from archc.syntax import tree
from archc.syntax.faults import TooDeep

_NESTS = (tree.Negate, tree.Power, tree.Index, tree.Call, tree.Group, tree.Body, tree.TupleType)
# Between two constructs that nest stand at most a few that do not (an argument, a sum, a product): a looser bound
# keeps their sum small enough for Python's own stack.
_LEVELS_PER_NEST = 4


def children(node: tree.Tree) -> Iterator[tree.Tree]:
    """The nodes directly below a node, in the order of its fields."""
    for value in vars(node).values():
        if isinstance(value, tree.Tree):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, tree.Tree):
                    yield item


def check_nesting(root: tree.Tree, limits: Limits) -> None:
    """Raise Fault E0902 at the first node that lies too deep."""
    pending = [(root, 0, 0)]
    deepest = _LEVELS_PER_NEST * limits.depth
    while pending:
        node, level, nests = pending.pop()
        nests += isinstance(node, _NESTS) or (isinstance(node, tree.Logic) and node.operator == "not")
        if nests > limits.depth or level > deepest:
            raise Fault(TooDeep(node.span, limit=limits.depth, help="name an inner part with `let`"))
        pending.extend((child, level + 1, nests) for child in reversed(list(children(node))))
