"""Every figure, measured: its name, what it is compared with, and the bound it has to keep where it has one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import thread_time

import torch
from torch import Tensor, nn

from archc import driver
from archc.base.assets import specs_root
from tests.benchmarks import nets
from tests.benchmarks.long_spec import long_spec
from tests.benchmarks.measure import best, interleaved, python, ratio, seconds

THREADS = 2
KAN_FORWARD, KAN_STEP, RGCN, CHECK, GROWTH = 1.15, 1.25, 1.2, 0.5, 5.0
MULTIGRID, FOURIER = 1.9, 1.4
CHEBYSHEV, RATIONAL, RECURRENCE = 0.75, 0.3, 1.0
COMPILE_MEMORY = 1024.0
MIB = 1 << 20

Action = Callable[[nn.Module, Tensor], object]


@dataclass(frozen=True)
class Figure:
    """`value` is a ratio to the reference, or MiB where `unit` says so."""

    name: str
    reference: str
    value: float
    bound: float | None = None
    unit: str = "x"


def all_figures() -> Iterator[Figure]:
    """Every figure, the quick ones first, as soon as it is measured."""
    yield check_time()
    yield check_time_of_all()
    yield compile_growth()
    yield compile_memory()
    for case in MEMORY:
        for compiled in (False, True):
            yield step_memory(case, compiled=compiled)
    yield from spline_kan()
    yield from chebyshev_kan()
    yield from rational_kan()
    yield from multigrid()
    yield from fourier()
    yield from set_classifier()
    yield from rgcn()
    yield from linear_recurrence()


def spline_kan(rounds: int = 15, threads: int = THREADS) -> Iterator[Figure]:
    """A compiled spline KAN against an MLP of as many parameters, batch 1024."""
    return _against_mlp("spline KAN 64-128-64", nets.spline_kan(), (KAN_FORWARD, KAN_STEP), rounds, threads)


def chebyshev_kan(rounds: int = 15, threads: int = THREADS) -> Iterator[Figure]:
    """A compiled Chebyshev KAN against the same MLP."""
    return _against_mlp("Chebyshev KAN 64-128-64", nets.chebyshev_kan(), (CHEBYSHEV,) * 2, rounds, threads)


def rational_kan(rounds: int = 15, threads: int = THREADS) -> Iterator[Figure]:
    """Compiled layers of grouped rational functions against the same MLP."""
    return _against_mlp("group rational 64-128-64", nets.rational_kan(), (RATIONAL,) * 2, rounds, threads)


def _against_mlp(name: str, net: nn.Module, bounds: tuple[float, float], rounds: int, threads: int) -> Iterator[Figure]:
    both, x = {"kan": net, "mlp": nets.mlp()}, torch.rand(nets.BATCH, 64) * 2 - 1
    reference = f"MLP 64-1270-64, {nets.size(both['mlp']):,} parameters"
    compiled = {name: torch.compile(net, fullgraph=True) for name, net in both.items()}
    for action, bound in zip((nets.forward, nets.step), bounds, strict=True):
        with torch_threads(threads):
            value = best(partial(_compared, compiled, action, x, rounds, "kan", "mlp"), bound)
        yield Figure(f"{name}, compiled, {action.__name__}, threads: {threads}", reference, value, bound)


def set_classifier(rounds: int = 9) -> Iterator[Figure]:
    """The generated set classifier against one written by hand with fused attention, on 64 sets of 64 points."""
    pair, x = {"spec": nets.set_classifier(), "hand": nets.HandWritten()}, torch.rand(64, 64, 3) * 2 - 1
    compiled = {name: torch.compile(net, fullgraph=True) for name, net in pair.items()}
    for manner, both in (("eager", pair), ("compiled", compiled)):
        for action in (nets.forward, nets.step):
            with torch_threads(THREADS):
                value = _compared(both, action, x, rounds, "spec", "hand")
            yield Figure(
                f"SetClassifier, {manner}, {action.__name__}, threads: {THREADS}",
                "scaled_dot_product_attention by hand",
                value,
            )


def rgcn(rounds: int = 9, threads: int = THREADS) -> Iterator[Figure]:
    """The generated RGCN against one written by hand, on a random graph."""
    pair = {"spec": nets.OnGraph(nets.rgcn()), "hand": nets.OnGraph(nets.HandWrittenRGCN())}
    x = torch.rand(nets.NODES, 32) * 2 - 1
    shape = f"{nets.NODES:,} nodes, {nets.EDGES:,} edges, {nets.RELATIONS} relations"
    for action in (nets.forward, nets.step):
        with torch_threads(threads):
            value = best(partial(_compared, pair, action, x, rounds, "spec", "hand"), RGCN)
        reference = "gather, GEMM and index_add by hand"
        yield Figure(f"RGCN, {shape}, eager, {action.__name__}, threads: {threads}", reference, value, RGCN)


def multigrid(rounds: int = 15, threads: int = THREADS) -> Iterator[Figure]:
    """MgNO as released against a stack of plain convolutions, 8 fields of 64 x 64."""
    both, x = {"mgno": nets.mgno(), "conv": nets.conv_stack()}, torch.rand(8, 1, 64, 64)
    reference = f"four 3x3 convolutions, {nets.size(both['conv']):,} parameters"
    for action in (nets.forward, nets.step):
        with torch_threads(threads):
            value = best(partial(_compared, both, action, x, rounds, "mgno", "conv"), MULTIGRID)
        yield Figure(f"MgNO, channels last, eager, {action.__name__}, threads: {threads}", reference, value, MULTIGRID)


def fourier(rounds: int = 15, threads: int = THREADS) -> Iterator[Figure]:
    """A compiled Fourier neural operator against a stack of plain convolutions, 8 fields of 64 x 64."""
    both, x = {"fno": nets.fno(), "conv": nets.conv_stack()}, torch.rand(8, 1, 64, 64)
    reference = f"four 3x3 convolutions, {nets.size(both['conv']):,} parameters"
    compiled = {name: torch.compile(net, fullgraph=True) for name, net in both.items()}
    for action, bound in ((nets.forward, FOURIER), (nets.step, None)):
        with torch_threads(threads):
            measured = partial(_compared, compiled, action, x, rounds, "fno", "conv")
            value = measured() if bound is None else best(measured, bound)
        yield Figure(f"FNO, 12 modes, compiled, {action.__name__}, threads: {threads}", reference, value, bound)


def linear_recurrence(rounds: int = 9, threads: int = THREADS, length: int = 1024) -> Iterator[Figure]:
    """A linear recurrent unit whose steps are joined against the same taken one after the other, which on a processor
    catch up where there are many sequences: the bound is that of one."""
    both = {"joined": nets.lru(is_parallel=True), "steps": nets.lru(is_parallel=False)}
    for count, bound in ((1, RECURRENCE), (8, None), (32, None)):
        x = torch.randn(count, length, 64)
        for action in (nets.forward, nets.step):
            with torch_threads(threads):
                measured = partial(_compared, both, action, x, rounds, "joined", "steps")
                value = measured() if bound is None else best(measured, bound)
            name = (
                f"LRU, {count} times {length:,} positions, steps joined, eager, {action.__name__}, threads: {threads}"
            )
            yield Figure(name, "the same step by step", value, bound)


TEN = (
    "attention/attention basic/hyper basic/mlp graphs/rgcn kan/chebykan kan/kan operators/deeponet sets/deepsets"
    " vision/conv vision/unet"
)
"""The specs that the bound of a check is stated for."""


def check_time(rounds: int = 5) -> Figure:
    """The processor time of `archc check` on ten specs against that of `import torch`, each in a fresh interpreter."""
    return _check_time("ten specs", [str(specs_root() / f"{name}.arch") for name in TEN.split()], rounds, CHECK)


def check_time_of_all() -> Figure:
    """The same on every spec and file of the library."""
    return _check_time("all specs", [str(specs_root())], 3, None)


def _check_time(what: str, paths: list[str], rounds: int, bound: float | None) -> Figure:
    check = f"import sys; sys.argv[1:] = ['check', *{paths!r}]; from archc.cli import main; main()"
    commands = [partial(python, check), partial(python, "import torch")]

    def measured() -> float:
        pairs = [[seconds(command, clock=_time_of_children) for command in commands] for _ in range(rounds)]
        return median(checked / imported for checked, imported in pairs)

    python(check)
    value = measured() if bound is None else best(measured, bound, attempts=3)
    return Figure(f"archc check, {what}", "import torch", value, bound)


def compile_growth() -> Figure:
    """The processor time of compiling four times as many statements."""

    def measured() -> float:
        short, long = (partial(driver.build, long_spec(count)) for count in (1000, 4000))
        return seconds(long, clock=thread_time) / median(seconds(short, clock=thread_time) for _ in range(3))

    driver.build(long_spec(50))
    return Figure("compiling 4,000 statements", "compiling 1,000", best(measured, GROWTH, attempts=3), GROWTH)


def compile_memory(statements: int = 10_000) -> Figure:
    """The most memory that a process holds which compiles a long spec."""
    code = f"""
from archc import driver
from tests.benchmarks.long_spec import long_spec
driver.build(long_spec({statements}))
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"""
    peak = int(python(code)) * 1024 / MIB
    return Figure(f"peak memory of compiling {statements:,} statements", "", peak, COMPILE_MEMORY, "MiB")


@dataclass(frozen=True)
class Memory:
    """Two nets of `nets` whose training steps are compared, what the second is called, and the shape of the input."""

    net: str
    reference: str
    called: str
    shape: tuple[int, ...]


_ROWS, _FIELDS = (8 * nets.BATCH, 64), (8, 1, 64, 64)
MEMORY = {
    "spline KAN": Memory("spline_kan()", "mlp()", "the MLP's", _ROWS),
    "Chebyshev KAN": Memory("chebyshev_kan()", "mlp()", "the MLP's", _ROWS),
    "group rational": Memory("rational_kan()", "mlp()", "the MLP's", _ROWS),
    "MgNO, channels last,": Memory("mgno()", "conv_stack()", "the convolutions'", _FIELDS),
    "FNO": Memory("fno()", "conv_stack()", "the convolutions'", _FIELDS),
    "RGCN": Memory("OnGraph(rgcn())", "OnGraph(HandWrittenRGCN())", "by hand", (nets.NODES, 32)),
    "LRU, joined steps,": Memory("lru(is_parallel=True)", "lru(is_parallel=False)", "step by step", (1, 1024, 64)),
}


def step_memory(case: str, *, compiled: bool = False) -> Figure:
    """The most memory that a training step adds, against that of the reference."""
    one = MEMORY[case]
    own, other = (_step_memory(net, one.shape, compiled=compiled) for net in (one.net, one.reference))
    manner = "compiled" if compiled else "eager"
    return Figure(f"peak memory of a step, {case} {manner}", f"{one.called}, {other:.0f} MiB", own / other)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Torch on so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _time_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _compared(both: dict[str, nn.Module], action: Action, x: Tensor, rounds: int, of: str, to: str) -> float:
    return ratio(interleaved({name: partial(action, net, x) for name, net in both.items()}, rounds), of, to)


def _step_memory(net: str, shape: tuple[int, ...], *, compiled: bool) -> float:
    """MiB above what the process held before; Linux forgets its high-water mark where a 5 is written to clear_refs."""
    code = f"""
import gc, re, torch
from pathlib import Path
from tests.benchmarks.nets import *
net, x = {net}, torch.rand({shape})
net = torch.compile(net, fullgraph=True) if {compiled} else net
step(net, x)
net.zero_grad(set_to_none=True)
gc.collect()
def held(mark):
    return int(re.search(mark + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
Path("/proc/self/clear_refs").write_text("5")
before = held("VmRSS")
step(net, x)
print(held("VmHWM") - before)"""
    # a fixed threshold gives every large tensor back as soon as it is free
    return int(python(code, MALLOC_MMAP_THRESHOLD_="65536")) * 1024 / MIB
