"""A call in a process of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from archc.driver import build, graph
from archc.run.isolate import Bounds, IsolationError, isolated
from archc.run.verify import verify

TEXT = "net A (x: real[batch, d]) -> (y: real[batch, d: 3]) { return x |> layer(d -> d: 3) }"


def test_a_verification_comes_back() -> None:
    typed, text = graph(TEXT), build(TEXT)
    assert isolated(Bounds(), verify, typed, text, regimes=("ones",)) == verify(typed, text, regimes=("ones",))


def test_an_exception_comes_back() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        isolated(Bounds(), int, "x")


def test_no_secrets_and_an_empty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    assert isolated(Bounds(), os.getenv, "SECRET_TOKEN") is None
    assert isolated(Bounds(), os.listdir) == []
    assert isolated(Bounds(), Path.cwd) != Path.cwd()


def test_a_call_that_never_ends() -> None:
    with pytest.raises(IsolationError, match="within 1 seconds"):
        isolated(Bounds(seconds=1), time.sleep, 100)


def test_a_process_that_dies() -> None:
    with pytest.raises(IsolationError, match="without an answer"):
        isolated(Bounds(), os._exit, 3)
