"""Adding an operation, a check or a pass touches one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from archc.checks.registry import CHECKS
from archc.driver import build, check, graph
from archc.ir.same import same
from archc.ir.text import print_graph
from archc.ops.registries import OPERATIONS
from archc.passes.pipeline import run
from archc.passes.registry import PASSES
from archc.readings.values import reference
from archc.run.load import load_module

MIRROR = '''
"""Turning an axis round."""

from typing import ClassVar, final

from archc.ops.operation import Axes, Lowered, Lowering, Operation, Sample


@final
class Mirror(Operation):
    """The entries along the axes `over` in the opposite order."""

    word = "mirror"
    formula = """(x: real[over]) -> (y: real[over]) {
        let y[over] = x[over: size(over) - 1 - over]
        return y
    }"""
    samples: ClassVar[tuple[Sample, ...]] = (
        Sample("x: real[batch, d: 3]", "mirror(x, over = d)", "real[batch, d: 3]"),
    )
    over: Axes

    def lower(self, to: Lowering) -> tuple[Lowered, ...] | None:
        (x,) = to.operands
        dims = ", ".join(str(to.dim(x, axis.name)) for axis in self.over)
        return (Lowered(f"{x.text}.flip({dims})", x.axes),)
'''

SHOUTED = '''
"""Nets whose name is shouted."""

from typing import ClassVar, Literal, final

from archc.base.diagnostic import Diagnostic
from archc.checks.check import Check


class Shouted(Diagnostic):
    """A net's name is all capitals.

        net NET(x: real[d]) -> (y: real[d]) { return x }     # wrong
        net Net(x: real[d]) -> (y: real[d]) { return x }     # right
    """

    code = "W0799"
    title = "`{name}` is shouted"
    severity: ClassVar[Literal["error", "warning", "note"]] = "warning"


@final
class ShoutedCheck(Check):
    """A name in capitals only."""

    word = "shouted"

    def find(self, graph):
        if graph.net.word.isupper():
            yield Shouted(graph.net.span.word(graph.net.word), name=graph.net.word)
'''

HALVE_DOUBLES = '''
"""Doubles of halves."""

from typing import ClassVar, final

from archc.formula.tree import Apply, Literal
from archc.ir.node import Region
from archc.ir.rewrite import with_formulas, with_nodes
from archc.passes.rewrite import ALL, Pass, in_each_block, kept


@final
class HalveDoubles(Pass):
    """Leaves out products with 2 and 0.5."""

    word = "halve_doubles"
    preserves: ClassVar[frozenset[str]] = ALL

    def apply(self, graph):
        def change(formula):
            formula = formula.rebuild(change)
            match formula:
                case Apply("mul", (x, Literal(2), Literal(0.5))):
                    return x
            return formula

        def region(one: Region) -> Region:
            return with_nodes(one, [with_formulas(node, change) for node in one.nodes])

        return kept(in_each_block(graph, region))
'''


def one_file(folder: Path, text: str) -> Path:
    (folder / "added.py").write_text(text)
    return folder


def test_an_operation(tmp_path: Path) -> None:
    spec = """net N(x: real[batch, d: 5]) -> (y: real[batch, d: 3]) {
        return x |> mirror(over = d) |> layer(d -> d: 3)
    }"""
    with OPERATIONS.extended(one_file(tmp_path, MIRROR)):
        assert check(spec) == ()
        typed = graph(spec)
        assert same(graph(print_graph(typed)), typed)
        text = build(spec)
    assert ".flip(-1)" in text
    module = load_module(text, "N")().double()
    x = torch.randn(2, 5, dtype=torch.float64)
    weights = {name: tensor.detach().numpy() for name, tensor in module.named_parameters()}
    wanted = reference(typed)({"x": x.numpy()}, weights)["y"]
    np.testing.assert_allclose(module(x).detach().numpy(), wanted, rtol=1e-12)
    assert "E0201" in {found.code for found in check(spec)}


def test_a_check(tmp_path: Path) -> None:
    spec = "net NET(x: real[d]) -> (y: real[d]) { return exp(x) }"
    with CHECKS.extended(one_file(tmp_path, SHOUTED)):
        (found,) = check(spec)
    assert str(found) == "spec.arch:1:5: warning[W0799]: `NET` is shouted"
    assert check(spec) == ()


def test_a_pass(tmp_path: Path) -> None:
    typed = graph("net N(x: real[d]) -> (y: real[d]) { return x * 2 * 0.5 }")
    with PASSES.extended(one_file(tmp_path, HALVE_DOUBLES)):
        done = run(typed, ("halve_doubles",))
    assert "let y[d] = x\n" in print_graph(done.graph)
    assert "halve_doubles" not in PASSES
