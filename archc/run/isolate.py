"""Generated code runs in a process of its own: no secrets in its environment, an empty working folder, limits."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, ParamSpec

P = ParamSpec("P")

_CHILD = Path(__file__).with_name("child.py")
_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
)
_FILE_BYTES = 4 * 2**30
_OPEN_FILES = 1024
_LAST_WORDS = 2000
_TOO_MUCH = {
    signal.SIGKILL: "the system killed it, perhaps because memory ran out",
    signal.SIGXCPU: "it took too long",
    signal.SIGXFSZ: "it wrote too large a file",
}


class IsolationError(Exception):
    """The process ended without an answer."""


class ExhaustedError(IsolationError):
    """It took more time, memory or disk than it may."""


class CallError(Exception):
    """What the call raised, in words; the traceback is a note."""


@dataclass(frozen=True)
class Bounds:
    """What the process may use: seconds on the clock, and bytes of address space where a run needs no CUDA, which
    reserves far more than it uses."""

    seconds: float = 1800
    memory: int | None = None

    @property
    def limits(self) -> dict[int, int]:
        """The limits that the system enforces, also if nobody watches the clock any more."""
        found = {
            resource.RLIMIT_CPU: max(1, int(self.seconds * (os.cpu_count() or 1))),
            resource.RLIMIT_FSIZE: _FILE_BYTES,
            resource.RLIMIT_NOFILE: _OPEN_FILES,
            resource.RLIMIT_CORE: 0,
        }
        return found if self.memory is None else found | {resource.RLIMIT_AS: self.memory}


def isolated(bounds: Bounds, call: Callable[P, str], /, *args: P.args, **kwargs: P.kwargs) -> str:
    """The text that `call(*args, **kwargs)` returns in a fresh process that ends with this one, or with the call.

    `call` is found by its name, in a package or the standard library; what is passed must be picklable. Nothing but
    text comes back, so that a stranger's code has no say here. Raises ExhaustedError or IsolationError when there is no
    answer, CallError when the call raised.
    """
    with TemporaryDirectory(prefix="archc-") as folder, TemporaryFile() as words, _started(folder, words) as started:
        process, pipe = started
        with suppress(BrokenPipeError):  # it has ended already; why is found out below
            pipe.send((_paths(), bounds.limits))
            pipe.send((call, args, kwargs))
        try:
            answer, _ = process.communicate(timeout=bounds.seconds)
        except subprocess.TimeoutExpired:
            raise ExhaustedError(f"there was no answer within {bounds.seconds:g} seconds") from None
        if not answer:
            raise _unanswered(process.returncode, _last_line(words))
    return _read(answer)


@contextmanager
def _started(folder: str, words: IO[bytes]) -> Iterator[tuple[subprocess.Popen[bytes], Connection]]:
    """The process and the pipe to it; it has a session of its own, so that an interrupt reaches only this process."""
    reading, writing = os.pipe()
    with Connection(writing, readable=False) as pipe, os.fdopen(reading) as request:
        process = subprocess.Popen(
            [sys.executable, "-I", str(_CHILD)],
            stdin=request,
            stdout=subprocess.PIPE,
            stderr=words,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name in _KEPT},
            start_new_session=True,
        )
        request.close()
        try:
            yield process, pipe
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


def _paths() -> list[str]:
    """Where this process finds its packages, but not in the folder that it stands in, unless this package is there."""
    here, own = Path.cwd(), str(Path(__file__).parents[2])
    found = [path for path in sys.path if path == own or (Path(path).is_absolute() and Path(path) != here)]
    return found if own in found else [*found, own]


def _read(answer: bytes) -> str:
    try:
        document = json.loads(answer)
        if "error" not in document:
            return str(document["text"])
        failure = CallError(str(document["error"]))
        failure.add_note(str(document["trace"]))
    except (ValueError, KeyError, TypeError):
        raise IsolationError("the process ended in the middle of its answer") from None
    raise failure


def _unanswered(status: int, last_line: str) -> IsolationError:
    if status < 0 and (reason := _TOO_MUCH.get(signal.Signals(-status))):
        return ExhaustedError(f"the process ended without an answer: {reason}")
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    return IsolationError(f"the process ended without an answer, {how}" + (f": {last_line}" if last_line else ""))


def _last_line(words: IO[bytes]) -> str:
    """The last thing that the process said to nobody."""
    words.seek(max(0, words.seek(0, os.SEEK_END) - _LAST_WORDS))
    lines = words.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
