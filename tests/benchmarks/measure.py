"""Times and memory as ratios: interleaved rounds in one process, so that a loaded machine slows both sides alike."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from time import perf_counter

SAMPLE = 0.02
"""Seconds of work in one sample, so that a tick of the clock or one interruption is small beside it."""

Times = Mapping[str, list[float]]


def interleaved(actions: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 3) -> Times:
    """Seconds per call of each action, one figure for each round; in a round every action has its turn."""
    repeats = {}
    for name, action in actions.items():
        for _ in range(warm_up):
            action()
        repeats[name] = max(1, round(SAMPLE / seconds(action)))
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(seconds(action, repeats[name]))
    return times


def ratio(times: Times, of: str, to: str) -> float:
    """The median over rounds of the time of one action over that of another in the same round."""
    return median(own / other for own, other in zip(times[of], times[to], strict=True))


def best(measured: Callable[[], float], bound: float, attempts: int = 4) -> float:
    """The least of a few figures, none measured after one within the bound: other work on the machine only adds."""
    least = measured()
    for _ in range(attempts - 1):
        if least <= bound:
            break
        least = min(least, measured())
    return least


def seconds(action: Callable[[], object], repeats: int = 1, clock: Callable[[], float] = perf_counter) -> float:
    """The time of one call, without pauses for garbage, as `timeit` measures."""
    with _no_garbage():
        start = clock()
        for _ in range(repeats):
            action()
        return (clock() - start) / repeats


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints that runs the code. Raises CalledProcessError."""
    # compiled modules are kept, as they are for everyone who has run a program twice
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=kept | environment, check=True, capture_output=True, text=True).stdout


@contextmanager
def _no_garbage() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
