"""Every pass keeps its promises on every spec: none is named here."""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import Path

import pytest

from archc.base.assets import specs_root
from archc.base.internal import InternalError
from archc.driver import graph
from archc.ir.graph import TypedGraph
from archc.ir.node import Scan
from archc.ir.parameter import parameters
from archc.ir.verify import verify
from archc.passes.pipeline import DEFAULT, run
from archc.passes.registry import PASSES
from archc.passes.rewrite import ALL, Pass, Rewritten, kept
from tests.passes.meaning import assert_same_meaning
from tests.specs.conftest import SMALL

SPECS = sorted(path for path in specs_root().rglob("*.arch") if path.parent.name != "std")
EVERY = [(entry, path) for entry in PASSES for path in SPECS]
UNTIDY = """
    block inner(x: real[d]) -> (y: real[d]) {
        let unread = exp(x)
        let once = tanh(x * 1 + 0)
        let again = tanh(x * 1 + 0)
        return once + again
    }
    block idle(x: real[d]) -> (y: real[d]) { return exp(x) }
    net N(k = 3) (x: real[batch, d: 4]) -> (y: real[batch, d: 4], z: real[batch, d: 4]) {
        let unread = idle(x)
        let weights = x |> layer(d -> d: 2 + 3)
        let copy[batch, d] = x
        let h = repeat k - 1 with h = softmax(copy, over = d) {
            let dead = h |> softmax(over = d)
            return softmax(h, over = d) + softmax(h, over = d) + inner(h)
        }
        let h = scan over d with sum = x[d: 0] using associative() { return sum * h + x }
        let h[batch, d] = h
        return h + softmax(x, over = d), softmax(copy, over = d) + softmax(x, over = d)
    }"""


@cache
def untouched(path: Path) -> TypedGraph:
    """The graph of a spec in its small form."""
    return graph(path, **SMALL.get(path.relative_to(specs_root()).with_suffix("").as_posix(), {}))


@pytest.mark.parametrize("entry", PASSES, ids=lambda entry: entry.word)
def test_states_what_it_does(entry: type[Pass]) -> None:
    assert inspect.getdoc(entry)
    assert entry.preserves <= ALL
    assert getattr(entry, "__final__", False)
    assert entry.model_config.get("frozen")


@pytest.mark.parametrize(("entry", "path"), EVERY, ids=lambda one: getattr(one, "word", getattr(one, "stem", "")))
def test_keeps_its_promises(entry: type[Pass], path: Path) -> None:
    before = untouched(path)
    done = entry().apply(before)
    verify(done.graph)
    assert_promises(entry, before, done)


@pytest.mark.parametrize("entry", PASSES, ids=lambda entry: entry.word)
def test_keeps_its_promises_on_an_untidy_net(entry: type[Pass]) -> None:
    before = graph(UNTIDY)
    done = entry().apply(before)
    verify(done.graph)
    assert_promises(entry, before, done)
    assert done.graph != before


def assert_promises(entry: type[Pass], before: TypedGraph, done: Rewritten) -> None:
    after = done.graph
    assert entry().apply(after).graph == after
    assert entry().apply(before).graph == after
    if "types" in entry.preserves:
        assert [value.type for value in after.net.region.inputs] == [value.type for value in before.net.region.inputs]
        assert [(v.name, v.type) for v in after.net.outputs] == [(v.name, v.type) for v in before.net.outputs]
    if "params" in entry.preserves:
        assert [(placed.path, placed.shape, placed.parameter.initial) for placed in parameters(after)] == [
            (placed.path, placed.shape, placed.parameter.initial) for placed in parameters(before)
        ]
        assert done.parameters == kept(before).parameters
    if "semantics" in entry.preserves:
        assert_same_meaning(before, after)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_pipeline_keeps_the_meaning(path: Path) -> None:
    before = untouched(path)
    done = run(before)
    # steps that are joined are added up in another order
    joins = any(
        node.solver for block in before.blocks.values() for node in block.region.nodes if isinstance(node, Scan)
    )
    assert_same_meaning(before, done.graph, within=1e-9 if joins else 0.0)
    assert run(done.graph).graph == done.graph
    assert done.parameters == kept(before).parameters


def test_together_they_tidy_up() -> None:
    net = run(graph(UNTIDY)).graph
    assert [block for block in net.blocks if block.startswith("idle")] == []
    assert "unread" not in net.net.region.values
    assert len(net.blocks["inner"].region.nodes) == 2
    # the weights of what is never read are the user's
    assert [placed.path for placed in parameters(net)] == ["weights_weight", "weights_bias"]


def test_a_broken_pass_is_named(tmp_path: Path) -> None:
    (tmp_path / "drop_all.py").write_text(
        "from dataclasses import replace\n"
        "from archc.passes.rewrite import Pass, Rewritten, in_each_block, kept\n"
        "class DropAll(Pass):\n"
        '    """Drops every node."""\n'
        '    word = "drop_all"\n'
        "    preserves = frozenset()\n"
        "    def apply(self, graph):\n"
        "        return kept(in_each_block(graph, lambda region: replace(region, nodes=())))\n"
    )
    with PASSES.extended(tmp_path), pytest.raises(InternalError, match=r"after drop_all: mlp/return: y is not defined"):
        run(untouched(specs_root() / "basic" / "hyper.arch"), (*DEFAULT, "drop_all"))


def test_takes_time_in_proportion() -> None:
    lines = "\n".join(f"let h{n} = relu(h{n - 1} * 1) + relu(h{n - 1} * 1)" for n in range(1, 2_001))
    long = graph(f"net N(h0: real[d]) -> (y: real[d]) {{ {lines} return h2000 }}")
    for entry in PASSES:
        long = entry().apply(long).graph
    assert len(long.net.region.nodes) == 2_000
