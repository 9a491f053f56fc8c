"""Generated code runs in a process of its own: no secrets in its environment, an empty working folder, limits."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")
_FILE_BYTES = 4 * 2**30
_OPEN_FILES = 1024


class IsolationError(Exception):
    """The process ended without an answer: it took too long, or was killed."""


@dataclass(frozen=True)
class Bounds:
    """What the process may use: seconds on the clock, and bytes of address space where a run needs no CUDA."""

    seconds: float = 1800
    memory: int | None = None


def isolated(bounds: Bounds, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """`call(*args, **kwargs)` in a fresh process; its result or its exception comes back.

    Everything passed must be picklable. Raises IsolationError when there is no answer within the bounds.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="archc-") as folder, receiver:
        process = context.Process(target=_answer, args=(sender, folder, bounds, call, args, kwargs), daemon=True)
        process.start()
        sender.close()
        try:
            if not receiver.poll(bounds.seconds):
                raise IsolationError(f"no answer within {bounds.seconds:g} seconds")
            is_result, answer = receiver.recv()
        except EOFError:
            process.join()
            raise IsolationError(f"the process ended without an answer, with status {process.exitcode}") from None
        finally:
            process.kill()
            process.join()
    if not is_result:
        raise answer
    found: R = answer
    return found


def _answer(
    sender: Connection,
    folder: str,
    bounds: Bounds,
    call: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> None:
    os.chdir(folder)
    for name in [name for name in os.environ if name not in _KEPT]:
        del os.environ[name]
    _limit(resource.RLIMIT_FSIZE, _FILE_BYTES)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    if bounds.memory is not None:
        _limit(resource.RLIMIT_AS, bounds.memory)
    try:
        sender.send((True, call(*args, **kwargs)))
    except Exception as error:
        sender.send((False, error))


def _limit(what: int, most: int) -> None:
    """Lower a limit of this process, never raise it."""
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, bound))
