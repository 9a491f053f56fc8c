"""A compiler for declarative neural architectures: named axes in, readable standalone PyTorch out.

net = archc.load("specs/kan/kan.arch", hidden=8)       # an nn.Module, ready to train
source = archc.build("specs/kan/kan.arch", hidden=8)   # its Python text
graph = archc.graph("specs/kan/kan.arch", hidden=8)    # its typed graph; graph.nx is the NetworkX graph
out = archc.reference(graph)(inputs, parameters)       # the same in NumPy float64, independently
found = archc.check("specs/kan/kan.arch")              # diagnostics; never raises for a bad spec
finer = archc.refine(net, graph, finer_graph)          # a net on a finer grid with the function of a trained one
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archc.base.diagnostic import ArchError, Diagnostic
from archc.base.version import VERSION
from archc.driver import build, check, graph
from archc.ir.graph import TypedGraph

if TYPE_CHECKING:
    from torch import nn

    from archc.elaborate.net import Option
    from archc.readings.values import Reference

__version__ = VERSION

__all__ = [
    "ArchError",
    "Diagnostic",
    "TypedGraph",
    "__version__",
    "build",
    "check",
    "graph",
    "load",
    "reference",
    "refine",
]


def load(
    source: str | Path,
    /,
    net: str | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    hypers: Mapping[str, Option] | None = None,
    **named: Option,
) -> nn.Module:
    """The module of a net of a spec (a path, or text), ready to train.

    `sizes` gives the sizes of axes that its parameters depend on (a bias on a grid: `sizes={"h": 64, "w": 64}`), where
    the spec leaves them open. A hyper-parameter is set by its name, or in `hypers` where its name is `sizes` or
    `hypers`. Raises ArchError with every diagnostic where the spec has errors.
    """
    from archc.run.load import instantiate, load_module  # torch is imported only by those who run

    return instantiate(load_module(build(source, net, **{**(hypers or {}), **named})), sizes or {})


def reference(graph: TypedGraph) -> Reference:
    """The meaning of a net in NumPy float64: a function of its inputs and parameters, each by name."""
    from archc.readings import values  # NumPy is imported only by those who count

    return values.reference(graph)


def refine(net: nn.Module, before: TypedGraph, after: TypedGraph) -> nn.Module:
    """A net of the graph `after` that computes what `net`, of the graph `before`, does, on finer bases.

    The coefficients of a basis are fitted by least squares where it is defined (`low` to `high`, else -1 to 1): to
    rounding where the new functions contain the old, such as splines on a grid of k times as many intervals or
    polynomials of a higher degree. Other parameters are copied. Raises archc.run.request.RunError for nets that differ
    in more than their bases.
    """
    from archc.run import refine

    return refine.refine(net, before, after)
