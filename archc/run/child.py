"""What `isolate` starts, as `python -I child.py`: it takes its limits, then a call, and answers with the call's text.

Nothing here imports the package before the search path is known to be safe.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import NamedTuple


class Setting(NamedTuple):
    """Where to look for packages, and the limits to live in."""

    paths: Sequence[str]
    limits: Mapping[int, int]


def main() -> None:
    """Answer one call with a line of JSON: `{"text": ...}`, or `{"error": ..., "trace": ...}` for what it raised."""
    parent = Connection(os.dup(sys.stdin.fileno()), writable=False)
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    _close_to_strangers()
    setting = Setting(*parent.recv())
    sys.path[:] = setting.paths
    for what, most in setting.limits.items():
        _limit(what, most)
    try:
        call, arguments, options = parent.recv()
        Thread(target=_end_with, args=(parent,), daemon=True).start()
        document = {"text": _called(call, arguments, options)}
    except Exception as error:
        document = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
    answer.write(json.dumps(document).encode())
    answer.flush()
    os._exit(0)  # nothing that generated code has left behind runs any more


def _called(call: Callable[..., str], arguments: Sequence[object], options: Mapping[str, object]) -> str:
    return call(*arguments, **options)


def _close_to_strangers() -> None:
    """What the module prints is no answer, and what it reads is no request."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.close(nothing)


def _end_with(parent: Connection) -> None:
    """Nothing more is ever said on this pipe: it ends when the parent does, and then so does this process."""
    parent.poll(None)
    with suppress(OSError):
        Path.cwd().rmdir()  # the parent, which would have, is no more
    os._exit(1)


def _limit(what: int, most: int) -> None:
    """Lower a limit of this process, never raise it."""
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, bound))


if __name__ == "__main__":
    main()
