"""Passes one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from archc.base.internal import InternalError
from archc.ir.graph import TypedGraph
from archc.ir.verify import verify
from archc.passes.registry import PASSES
from archc.passes.rewrite import Rewritten, kept

DEFAULT = ("parallel_scans", "fold_constants", "merge_equal", "drop_unused")
"""What happens to a graph before it is lowered."""


def run(graph: TypedGraph, words: Sequence[str] = DEFAULT) -> Rewritten:
    """The graph after some passes, and where its parameters are found then.

    What each pass gives is verified. Raises KeyError for a word that names no pass, InternalError, which names the
    pass, where a graph breaks the rules of the IR.
    """
    done = kept(graph)
    for word in words:
        done = done.then(PASSES[word]().apply(done.graph))
        try:
            verify(done.graph)
        except InternalError as error:
            raise InternalError(f"after {word}: {fault}" for fault in error.faults) from error
    return done
