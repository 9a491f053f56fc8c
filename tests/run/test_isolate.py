"""A call in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archc.run.isolate import Bounds, CallError, ExhaustedError, IsolationError, isolated


def test_text_comes_back() -> None:
    assert isolated(Bounds(), str.upper, "abc") == "ABC"


def test_an_exception_comes_back_in_words() -> None:
    with pytest.raises(CallError, match="ValueError: invalid literal") as raised:
        isolated(Bounds(), int, "x")
    assert "Traceback" in raised.value.__notes__[0]


def test_what_it_prints_is_no_answer() -> None:
    assert isolated(Bounds(), eval, "print('x') or 'y'") == "y"


def test_no_secrets_and_an_empty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    asked = "__import__('json').dumps([list(__import__('os').environ), __import__('os').listdir()])"
    environment, listing = json.loads(isolated(Bounds(), eval, asked))
    assert "PATH" in environment
    assert "SECRET_TOKEN" not in environment
    assert listing == []
    assert isolated(Bounds(), os.getcwd) != str(Path.cwd())


def test_limits() -> None:
    asked = "str([__import__('resource').getrlimit(which)[0] for which in {}])"
    which = [resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_AS]
    assert isolated(Bounds(memory=2**40), eval, asked.format(which)) == str([1024, 0, 2**40])


def test_nothing_is_imported_from_the_folder_around(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for name in ("torch", "numpy", "lark", "pickle", "json"):
        (tmp_path / f"{name}.py").write_text(f"open({str(canary)!r}, 'w').close()\n")
    place = "__import__('importlib.util').util.find_spec('torch').origin"
    start = f"import sys; from archc.run.isolate import *; place = {place}; sys.path[:0] = ['', {str(tmp_path)!r}]; "
    start += f"print(isolated(Bounds(), eval, {place!r}) == place)"
    ended = subprocess.run([sys.executable, "-P", "-c", start], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stdout == "True\n", ended.stderr
    assert not canary.exists()


def test_a_call_that_never_ends() -> None:
    with pytest.raises(ExhaustedError, match="within 1 seconds"):
        isolated(Bounds(seconds=1), time.sleep, 100)


def test_a_process_that_dies() -> None:
    for call, given, message in (
        (os._exit, 3, "without an answer, with status 3"),
        (eval, "__import__('os').abort()", "without an answer, by SIGABRT"),
        (eval, "__import__('os').kill(__import__('os').getpid(), 9)", "perhaps because memory ran out"),
    ):
        with pytest.raises(IsolationError, match=message):
            isolated(Bounds(), call, given)


def test_it_does_not_outlive_the_one_who_asked(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    call = f"(open({str(note)!r}, 'w').write(str(__import__('os').getpid())), __import__('time').sleep(60))"
    start = f"from archc.run.isolate import Bounds, isolated\nisolated(Bounds(), eval, {call!r})"
    parent = subprocess.Popen([sys.executable, "-c", start], env=os.environ | {"TMPDIR": str(tmp_path)})
    assert _within(20, lambda: note.exists() and note.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert _within(10, lambda: not _is_alive(int(note.read_text())))
    assert list(tmp_path.iterdir()) == [note]


def _within(seconds: float, condition: Callable[[], object]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _is_alive(process: int) -> bool:
    """A process that has ended and that nobody has asked about yet is dead."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True)
    return shown.stdout.strip()[:1] not in ("", "Z")
