"""Values for the size symbols of a net that satisfy everything it asks of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from archc.base.nearest import nearest
from archc.derive.coupling import UnsuitableError, joining
from archc.ir.graph import Block, TypedGraph, nested
from archc.ir.node import Assume, Call, Loop, Region, Scan
from archc.types.size import Condition, Size, SizeError

Regime = Literal["small", "primes", "equal", "ones"]
REGIMES: tuple[Regime, ...] = ("primes", "equal", "ones")
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_LARGEST = 64
_COSTLY = 8
"""Beyond this size axes are not made equal to one that has to be so long: four such axes are a large tensor."""

_JOINED = 7
"""So many steps are joined in three rounds, and are more than most iterations of a solver reach over."""

_FARTHEST = 4096
"""Open sizes are sought up to twice those that are given, but no farther."""

_SHOWN = 6
_STEPS = 50_000


class SizesNotFoundError(Exception):
    """No small sizes satisfy the conditions of the net."""


class SizesRefusedError(SizesNotFoundError):
    """The sizes given name no symbol of the net, or contradict what it asks."""


@dataclass(frozen=True)
class Survey:
    """What a net asks of its size symbols: conditions, which symbols only say how often a loop runs, and along how many
    positions the steps of a scan are joined."""

    conditions: tuple[Condition, ...]
    counts: frozenset[str]
    joined: frozenset[str] = frozenset()


def survey(graph: TypedGraph) -> Survey:
    """What the net and the blocks in it ask of the net's size symbols: what their `where` says, what they require and
    assume, one position at least on every axis."""
    found: dict[Condition, None] = {}
    lengths: set[Size] = set()
    counts: set[Size] = set()
    joined: set[str] = set()
    seen: set[tuple[str, tuple[tuple[str, Size], ...]]] = set()
    own = tuple((symbol.name, Size.symbol(symbol.name)) for symbol in graph.net.symbols)
    pending = [(graph.entry, own)]
    while pending:
        name, bound = pending.pop()
        if (name, bound) in seen:
            continue
        seen.add((name, bound))
        block, sizes = graph.blocks[name], dict(bound)
        asked = (*block.facts, *(requirement.condition for requirement in block.requirements))
        found.update((condition.substitute(sizes), None) for condition in asked)
        for region in _regions(block.region):
            lengths.update(length.substitute(sizes) for length in _lengths(region))
            for node in region.nodes:
                if isinstance(node, Assume) and isinstance(node.condition, Condition):
                    found[node.condition.substitute(sizes)] = None
                elif isinstance(node, Loop):
                    counts.add(node.passes.substitute(sizes))
                    if _is_joined(node, graph.blocks):
                        joined.update(node.passes.substitute(sizes).symbols)
                elif isinstance(node, Call):
                    inner = tuple((symbol, size.substitute(sizes)) for symbol, size in node.sizes)
                    pending.append((node.block, inner))
    found.update((Condition(">=", length, Size.of(1)), None) for length in sorted(lengths, key=str))
    found.update((Condition(">=", count, Size.of(0)), None) for count in sorted(counts, key=str))
    symbols = frozenset(name for count in counts for name in count.symbols)
    counted = symbols - {name for length in lengths for name in length.symbols}
    return Survey(tuple(found), counted, frozenset(joined))


def _is_joined(loop: Loop, blocks: Mapping[str, Block]) -> bool:
    """Whether it is a scan that is evaluated at all positions at once."""
    if not isinstance(loop, Scan) or loop.solver is None:
        return False
    try:
        joining(loop, blocks)
    except UnsuitableError:
        return False
    return True


def _lengths(region: Region) -> Iterator[Size]:
    for value in region.values.values():
        yield from (axis.size for axis in value.axes)
        if value.kind.size is not None:
            yield value.kind.size


def _regions(region: Region) -> Iterator[Region]:
    yield region
    for node in region.nodes:
        for inner in nested(node):
            yield from _regions(inner)


def built_with(graph: TypedGraph) -> dict[str, int]:
    """The size symbols whose values were set when the graph was made."""
    names = {symbol.name for symbol in graph.net.symbols}
    return {name: value for name, value in graph.options if name in names and type(value) is int}


def choose(graph: TypedGraph, regime: Regime, given: Mapping[str, int] | None = None, seed: int = 0) -> dict[str, int]:
    """A value for every size symbol of the net that satisfies its conditions and keeps those `given`.

    `primes` are pairwise distinct, prime where the conditions allow it, and large where steps are joined; `equal` are
    the same, short axes apart from those that have to be long, and `ones` are 1 where allowed; `small` keeps the
    defaults of hyper-parameters and takes small input axes. Raises SizesNotFoundError, and SizesRefusedError where it
    is those given that cannot be.
    """
    fixed = dict(given or {})
    if regime == "small":
        fixed = {symbol.name: symbol.default for symbol in graph.net.symbols if symbol.default is not None} | fixed
    demand_possible(graph, fixed)
    names = [symbol.name for symbol in graph.net.symbols]
    asked = survey(graph)
    largest = min(max(_LARGEST, *(2 * size for size in fixed.values()), 0), _FARTHEST)
    for preference in _preferences(regime, names, asked.joined, seed, largest):
        found = _Search(names, asked, preference, fixed).run()
        if found is not None:
            return found
    kept = f" with {_bindings(fixed)}" if fixed else ""
    open_ = [condition for condition in asked.conditions if not _is_plain(condition)]
    shown = ", ".join(map(str, open_[:_SHOWN])) + (", ..." if len(open_) > _SHOWN else "")
    raise SizesNotFoundError(f"no sizes up to {largest} satisfy {shown}{kept}")


def demand_possible(graph: TypedGraph, fixed: Mapping[str, int]) -> None:
    """Raise SizesRefusedError where sizes are of nothing in the net, or alone break a condition of it."""
    names = [symbol.name for symbol in graph.net.symbols]
    for name in fixed:
        if name not in names:
            near = nearest(name, names)
            help = f"did you mean {near}?" if near else f"it has {', '.join(names) or 'none'}"
            raise SizesRefusedError(f"the net has no size symbol {name}; {help}")
    for condition in survey(graph).conditions:
        if condition.symbols and condition.symbols <= fixed.keys() and not _hold((condition,), fixed):
            kept = {name: size for name, size in fixed.items() if name in condition.symbols}
            raise SizesRefusedError(f"the net asks for {condition}, which does not hold for {_bindings(kept)}")


def _is_plain(condition: Condition) -> bool:
    """Whether all sizes satisfy it, as it seems from the ends of the range."""
    return all(_hold((condition,), dict.fromkeys(condition.symbols, size)) for size in (1, 2, _LARGEST - 1))


def _bindings(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


Preference = Callable[[str, Sequence[int]], Sequence[int]]


def _preferences(
    regime: Regime, names: Sequence[str], joined: Collection[str], seed: int, largest: int
) -> Iterator[Preference]:
    """For each symbol the values to try, in order, given those already taken; the strictest wish first."""
    everything = range(1, largest + 1)
    if regime == "ones":
        yield lambda _, __: everything
    elif regime == "small":
        yield lambda name, _: (2, *everything[2:], 1) if name == "batch" else (*everything[3:], 3, 2, 1)
    elif regime == "equal":
        yield lambda _, taken: taken[:1] or (*everything[2:_COSTLY], 2)
        yield lambda _, taken: _common_first(taken, everything)
    else:
        primes = list(_PRIMES[: max(len(names) + 1, 5)])
        random.Random(seed).shuffle(primes)
        order = (*primes, *(size for size in everything[1:] if size not in primes))
        long = sorted(order, key=lambda size: size < _JOINED)

        def apart(name: str, taken: Sequence[int]) -> Sequence[int]:
            return [size for size in (long if name in joined else order) if size not in taken]

        yield apart
        yield lambda name, taken: (*apart(name, taken), *taken, 1)


def _common_first(taken: Sequence[int], everything: Sequence[int]) -> Sequence[int]:
    common = sorted({size for size in taken if size <= _COSTLY}, key=lambda size: (-taken.count(size), size))
    return (*common, *(size for size in everything[1:] if size not in common), 1)


@dataclass(frozen=True)
class _Search:
    """Depth-first search, symbol by symbol, each condition tried as soon as its symbols are known."""

    names: Sequence[str]
    asked: Survey
    preference: Preference
    fixed: Mapping[str, int]

    def run(self) -> dict[str, int] | None:
        """The first solution in order of preference, None when there is none within the bound on steps."""
        order = [*(name for name in self.names if name in self.fixed), *self.free()]
        level = {name: number for number, name in enumerate(order)}
        due: list[list[Condition]] = [[] for _ in range(len(order) + 1)]
        for condition in self.asked.conditions:
            due[max((level[name] + 1 for name in condition.symbols if name in level), default=0)].append(condition)
        values: dict[str, int] = {}
        if not _hold(due[0], values):
            return None
        tried: list[Iterator[int]] = []
        for _ in range(_STEPS):
            if len(values) == len(order):
                return values
            if len(tried) == len(values):
                tried.append(iter(self.candidates(order[len(values)], values)))
            name = order[len(tried) - 1]
            size = next(tried[-1], None)
            if size is None:
                tried.pop()
                if not tried:
                    return None
                values.pop(order[len(tried) - 1])
            elif _hold(due[len(tried)], values | {name: size}):
                values[name] = size
        return None

    def candidates(self, name: str, values: Mapping[str, int]) -> Sequence[int]:
        if name in self.fixed:
            return (self.fixed[name],)
        if name in self.asked.counts:  # a loop that runs often costs time and shows nothing more
            wished = self.preference(name, ())
            return sorted(wished, key=lambda size: abs(size - min(wished[0], 2)))
        taken = [size for other, size in values.items() if other not in self.fixed and other not in self.asked.counts]
        return self.preference(name, taken)

    def free(self) -> Sequence[str]:
        """The symbols to choose, those that share conditions next to each other."""
        pending = [name for name in self.names if name not in self.fixed]
        order: list[str] = []
        known = set(self.fixed)
        while pending:
            name = max(pending, key=lambda name: self.closeness(name, known))
            pending.remove(name)
            order.append(name)
            known.add(name)
        return order

    def closeness(self, name: str, known: set[str]) -> int:
        return sum(1 for c in self.asked.conditions if name in c.symbols and c.symbols & known)


def _hold(conditions: Sequence[Condition], values: Mapping[str, int]) -> bool:
    try:
        return all(condition.evaluate(values) for condition in conditions)
    except SizeError:
        return False
