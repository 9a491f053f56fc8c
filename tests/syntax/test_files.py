"""Whatever a path leads to is read as a text in UTF-8 or refused, without waiting for it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from archc.base.diagnostic import Diagnostic, Fault
from archc.base.limits import Limits
from archc.base.span import Source, Span
from archc.syntax.files import decode_source, read_source


def refusal(path: Path | str, limits: Limits | None = None) -> Diagnostic:
    with pytest.raises(Fault) as raised:
        read_source(path, limits=limits or Limits())
    return raised.value.diagnostic


def test_text(tmp_path: Path) -> None:
    path = tmp_path / "a.arch"
    path.write_bytes("# \N{GREEK SMALL LETTER ALPHA}\r\n".encode())
    source = read_source(path)
    assert source.text == "# \N{GREEK SMALL LETTER ALPHA}\r\n"
    assert source.path == str(path)


def test_missing(tmp_path: Path) -> None:
    finding = refusal(tmp_path / "none.arch")
    assert finding.code == "E0600"
    assert finding.message.endswith("none.arch` cannot be read: no such file or directory")
    assert refusal("a\0b").code == "E0600"


def test_who_asked_is_blamed(tmp_path: Path) -> None:
    span = Span(Source("main.arch", 'use "none.arch"'), 0, 15)
    with pytest.raises(Fault) as raised:
        read_source(tmp_path / "none.arch", span=span)
    assert raised.value.diagnostic.span is span


def test_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(tmp_path / "door"))
        assert refusal(tmp_path / "door").label == "this is a socket"
    for path, label in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe"), (Path(os.devnull), "a device")):
        finding = refusal(path)
        assert finding.code == "E0602"
        assert finding.label == f"this is {label}"


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.arch"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert refusal(path).code == "E0901"
    path.write_text("12345")
    assert read_source(path, limits=Limits(file_bytes=5)).text == "12345"
    assert refusal(path, Limits(file_bytes=4)).code == "E0901"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xef\xbb\xbfnet", "a byte order mark at byte 0, line 1"),
        ("net".encode("utf-16"), "a byte order mark at byte 0, line 1"),
        (b"a\nb\xff", "not UTF-8 at byte 3, line 2"),
        (b"a\n\nb\0", "a NUL character at byte 4, line 3"),
    ],
)
def test_not_a_text(data: bytes, message: str) -> None:
    with pytest.raises(Fault) as raised:
        decode_source("a.arch", data)
    assert raised.value.diagnostic.code == "E0001"
    assert raised.value.diagnostic.message == message
