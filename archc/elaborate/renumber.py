"""Values and modules called as if the text of the graph had been written: where loops are derived, names are made for
values that are no more, and those after them have numbers that nobody could tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from archc.elaborate.frame import KEY
from archc.elaborate.names import Names
from archc.elaborate.scope import stem
from archc.ir.node import Call, Loop, Node, Operate, Parameter, Region, Repeat, Scan
from archc.ir.rewrite import with_names


def renumbered(region: Region, reserved: Iterable[str]) -> Region:
    """The region of a block under the names that its text gives it; the inputs keep theirs, and no value takes one that
    is reserved."""
    names = Names()
    for value in region.inputs:
        names.allocate(value.name)
    names.reserve(reserved)
    walk = _Walk(names, Counter(call.module for call in region.calls))
    nodes = tuple(walk.node(node) for node in region.nodes)
    return _named(replace(region, nodes=nodes), walk.values)


class _Walk:
    """The new names so far: of `values`, and of the modules of calls, which `times` counts. `entries` are inputs of the
    scans around that have not been read, with the values whose entries they are and the axes."""

    def __init__(self, names: Names, times: Counter[str], *, is_meaning: bool = False) -> None:
        self.is_meaning = is_meaning
        self.names = names
        self.times = times
        self.values: dict[str, str] = {}
        self.modules: dict[str, str] = {}
        self.entries: dict[str, tuple[str, str]] = {}

    def node(self, node: Node) -> Node:
        """A node with its own modules and what its operation means under new names, its results having theirs."""
        if isinstance(node, Loop):
            return self.loop(node)
        self.read(node.arguments)
        match node:
            case Parameter():
                self.values[node.result.name] = self.names.parameter(node.result.name)
            case Call():
                return self.call(node)
            case Operate():
                self.results(node, [stem(value.name) for value in node.results])
                return replace(node, meaning=self.meaning(node.meaning))
            case _:
                self.results(node, [stem(value.name) for value in node.results])
        return node

    def results(self, node: Node, several: list[str]) -> None:
        """Names for the results of a node: the own one where the text gives it to a single result, else from hints."""
        hints = [value.name for value in node.results] if len(node.results) == 1 and not self.is_meaning else several
        for value, hint in zip(node.results, hints, strict=True):
            self.values[value.name] = self.names.allocate(hint)

    def read(self, values: Iterable[str]) -> None:
        """Names for the entries among some values that are read for the first time."""
        for name in values:
            if name in self.entries:
                source, axis = self.entries.pop(name)
                self.read([source])
                self.values[name] = self.names.allocate(f"{self.values.get(source, source)}_{axis}")

    def meaning(self, region: Region) -> Region:
        """What an operation means, whose values have names of their own."""
        inner = _Walk(self.names, Counter(), is_meaning=True)
        for value in region.inputs:
            inner.values[value.name] = self.names.allocate(stem(value.name))
        nodes = tuple(inner.node(node) for node in region.nodes)
        return _named(replace(region, nodes=nodes), inner.values)

    def call(self, call: Call) -> Call:
        """A call: an instance that is not used again is called as its block."""
        if call.module not in self.modules:
            word = stem(call.block, KEY)
            is_named = self.times[call.module] > 1 or stem(call.module) != word
            self.modules[call.module] = self.names.allocate(call.module if is_named else word)
        self.results(call, [stem(value.name) for value in call.results])
        return replace(call, module=self.modules[call.module])

    def loop(self, loop: Loop) -> Loop:
        """A loop: its results are called as what it carries and emits, its module as the first of them."""
        self.read(loop.initial)
        body, count = loop.body, len(loop.initial)
        for value in loop.carries:
            self.values[value.name] = self.names.allocate(value.name)
        if isinstance(loop, Scan):
            pairs = zip(body.inputs[count:], loop.slices, strict=True)
            self.entries |= {value.name: (source, loop.axis.name) for value, source in pairs}
        nodes = tuple(self.node(node) for node in body.nodes)
        self.read((*body.outputs[count:], *body.outputs[:count]))
        ends = [*(value.name for value in loop.carries), *body.outputs[count:]]
        hints = [stem(self.values.get(name, name)) for name in ends]
        self.results(loop, hints)
        word = "step" if not isinstance(loop, Repeat) else "pass" if loop.shared else "passes"
        first = stem(self.values[loop.results[0].name]) if len(loop.results) == 1 or not loop.carries else hints[0]
        module = self.names.attribute(f"{first}_{word}")
        return replace(loop, body=replace(body, nodes=nodes), module=module)


def _named(region: Region, names: Mapping[str, str]) -> Region:
    """The region under new names, some of which are old names of others."""
    apart = {new: f"{new}'" for new in names.values()}
    first = with_names(region, {old: apart[new] for old, new in names.items()})
    return with_names(first, {marked: new for new, marked in apart.items()})
