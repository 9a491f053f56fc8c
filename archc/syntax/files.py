"""Reading a spec from a disk that may hold anything."""

from __future__ import annotations

import codecs
import os
import stat
from itertools import islice
from pathlib import Path

from archc.base.diagnostic import Fault
from archc.base.limits import LIMITS, Limits
from archc.base.nearest import nearest
from archc.base.span import Source, Span
from archc.syntax.faults import FileTooLarge, MissingFile, NotASpec, UnreadableText

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_MOST = 1_000
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_source(path: Path | str, *, span: Span | None = None, limits: Limits = LIMITS) -> Source:
    """The text of a spec, shown under the path as given.

    Never waits (pipes and devices are refused before they are read) and never reads more than the limit. `span` is who
    asked for the file, blamed when it cannot be opened; without one the file itself is.

    Raises Fault: E0600 missing, E0602 not a regular file, E0901 too large, E0001 not a text in UTF-8.
    """
    shown = str(path)
    blamed = span or Span(Source(shown, ""), 0, 0)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except (OSError, ValueError) as error:
        raise Fault(_cannot_open(path, blamed, error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Fault(NotASpec(blamed, path=shown, label=_kind(status.st_mode)))
        too_large = FileTooLarge(blamed, limit=limits.file_bytes)
        if status.st_size > limits.file_bytes:
            raise Fault(too_large)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limits.file_bytes + 1)
        if len(data) > limits.file_bytes:
            raise Fault(too_large)
    except OSError as error:
        raise Fault(_cannot_open(path, blamed, error)) from None
    finally:
        os.close(descriptor)
    return decode_source(shown, data)


def decode_source(path: str, data: bytes) -> Source:
    """The source of a text given in bytes. Raises Fault E0001."""
    start = Span(Source(path, ""), 0, 0)
    if data.startswith(_MARKS):
        raise Fault(UnreadableText(start, problem="a byte order mark", byte=0, line=1))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Fault(UnreadableText(start, problem="not UTF-8", byte=error.start, line=line)) from None
    at = data.find(b"\0")
    if at >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise Fault(UnreadableText(start, problem="a NUL character", byte=at, line=line))
    return Source(path, text)


def _cannot_open(path: Path | str, blamed: Span, error: OSError | ValueError) -> MissingFile | NotASpec:
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        mode = stat.S_IFREG
    if not stat.S_ISREG(mode):
        return NotASpec(blamed, path=str(path), label=_kind(mode))
    reason = (error.strerror or "").lower() if isinstance(error, OSError) else "not a path"
    near = nearest(Path(path).name, _beside(path))
    help = f"did you mean `{near}`?" if near else ""
    return MissingFile(blamed, path=str(path), reason=reason or "not a path", help=help)


def _beside(path: Path | str) -> list[str]:
    """The specs in the folder of a path."""
    try:
        with os.scandir(Path(path).parent) as entries:
            return [one.name for one in islice(entries, _MOST) if one.name.endswith(".arch")]
    except (OSError, ValueError):
        return []


def _kind(mode: int) -> str:
    return "this is " + _KINDS.get(stat.S_IFMT(mode), "no regular file")
