"""Times and memory as ratios: interleaved rounds in one process, so that a loaded machine slows both sides alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

SAMPLE = 0.02
"""Seconds of work in one sample, so that a clock tick or one interruption is small beside it."""


def interleaved(actions: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 3) -> dict[str, list[float]]:
    """Seconds per call of each action, one figure for each round; in a round every action has its turn."""
    repeats: dict[str, int] = {}
    for name, action in actions.items():
        for _ in range(warm_up):
            action()
        repeats[name] = max(1, round(SAMPLE / _seconds(action, 1)))
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(_seconds(action, repeats[name]))
    return times


def ratio(times: Mapping[str, list[float]], of: str, to: str) -> float:
    """The median over rounds of one action's time over another's of the same round."""
    return median(own / other for own, other in zip(times[of], times[to], strict=True))


def best_ratio(attempt: Callable[[], float], bound: float, attempts: int = 3) -> float:
    """The least ratio of a few attempts, none after the first within the bound: load can only make a ratio worse."""
    found = attempt()
    for _ in range(attempts - 1):
        if found <= bound:
            break
        found = min(found, attempt())
    return found


def process_seconds(*arguments: str) -> float:
    """Wall time of `python ARGUMENTS`, start of the interpreter included. Raises CalledProcessError."""
    start = perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return perf_counter() - start


def process_memory(code: str) -> int:
    """Peak resident bytes of a fresh interpreter that runs the code. Raises CalledProcessError."""
    tail = "\nimport resource, sys\nsys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))"
    done = subprocess.run([sys.executable, "-c", code + tail], check=True, capture_output=True, text=True)
    return int(done.stdout)


def _seconds(action: Callable[[], object], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        action()
    return (perf_counter() - start) / repeats
