"""Which names the text of a definition speaks of, and which of those it gives a meaning are never spoken of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archc.base.span import Span
from archc.ir.graph import TypedGraph
from archc.syntax import tree
from archc.syntax.nesting import children

Binding = tree.Let | tree.Share | tree.Declaration


class Unread(NamedTuple):
    """A name that a statement gives a meaning and nothing reads."""

    name: str
    statement: Binding

    @property
    def span(self) -> Span:
        """Where the statement names it."""
        return self.statement.span.word(self.name)


def definitions(graph: TypedGraph) -> tuple[tree.Definition, ...]:
    """How the blocks of a net are written, each once."""
    written = (block.definition for block in graph.blocks.values())
    return tuple({id(one): one for one in written if one is not None}.values())


def mentions(*nodes: tree.Tree) -> set[str]:
    """Every word that parts of a tree use as the name of a value, a size, an axis or a block."""
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        match node:
            case tree.Name(parts=parts):
                found.update(parts)
            case tree.Carry(name=name, initial=None):
                found.add(name)
            case tree.AxisType(twin=str(twin)):
                found.add(twin)
        stack.extend(children(node))
    return found


def unread(body: tree.Body) -> Iterator[Unread]:
    """The names bound in a body, or in one inside it, that nothing after them reads; `_` before a name means to.

    A static `if` reads what either branch reads, so that no choice of its condition makes a name unread. The last value
    that a state is given is read by the next run.
    """
    states = {name for one in body.statements for name in _bound(one) if _is_state(one)}
    last = states.intersection(name for one in body.statements if not _is_state(one) for name in _bound(one))
    read = mentions(*body.results) | last
    found: list[Unread] = []
    for statement in reversed(body.statements):
        names = _bound(statement)
        if isinstance(statement, tree.Declaration):
            found.extend(Unread(name, statement) for name in names if name not in read)
        elif isinstance(statement, Binding) and read.isdisjoint(names):
            found.append(Unread(names[0], statement))
        read.difference_update(names)
        read |= mentions(statement)
    yield from (one for one in reversed(found) if not one.name.startswith("_"))
    for inner in _bodies((*body.statements, *body.results)):
        yield from unread(inner)


def _is_state(statement: tree.Statement) -> bool:
    return isinstance(statement, tree.Declaration) and statement.role == "state"


def _bound(statement: tree.Statement) -> tuple[str, ...]:
    match statement:
        case tree.Let(names=names) | tree.Declaration(names=names):
            return names
        case tree.Share(name=name):
            return (name,)
        case _:
            return ()


def _bodies(nodes: Iterable[tree.Tree]) -> Iterator[tree.Body]:
    """The outermost bodies inside some parts of a tree."""
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Body):
            yield node
        else:
            stack.extend(reversed(list(children(node))))
