"""What a command says besides its product, on the standard error stream, and the code that it ends with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from enum import IntEnum
from traceback import print_exception
from typing import TYPE_CHECKING, TypeVar

import typer

from archc.base.diagnostic import ArchError, Diagnostic, Fault, Findings
from archc.base.escape import escape
from archc.base.interchange import CompilerFault
from archc.base.registry import RegistryError
from archc.base.render import Format, render
from archc.base.span import Source, Span
from archc.base.version import VERSION

if TYPE_CHECKING:
    from rich.console import RenderableType

T = TypeVar("T")

_PIPED_COLUMNS = 200

DEBUG = ContextVar("DEBUG", default=False)
"""Whether an exception that ends the command is shown with its traceback."""


class Exit(IntEnum):
    """How a command ended; the same whatever the format, the colour or the terminal."""

    CLEAN = 0
    ERRORS = 1
    USAGE = 2
    FILES = 3
    MISMATCH = 4
    INTERNAL = 70
    INTERRUPTED = 130


_OF_THE_COMMAND = ("E0210", "E0211", "E0212", "E0214")
"""Diagnostics of `--net` and `--set`, not of the spec."""


def report(found: Iterable[Diagnostic], format: Format = "text") -> Exit:
    """Print the diagnostics, each place once, and say how the command ends."""
    findings = Findings()
    for diagnostic in found:
        findings.add(diagnostic)
    sys.stderr.write(render(findings, format, color=_wants_color()))
    if any(map(_concerns_files, findings.errors)):
        return Exit.FILES
    if any(error.code in _OF_THE_COMMAND for error in findings.errors):
        return Exit.USAGE
    return Exit.ERRORS if findings.errors else Exit.CLEAN


@contextmanager
def reporting(format: Format = "text") -> Iterator[None]:
    """End the command as its first exception asks; nothing but the exceptions of the command line passes through."""
    try:
        yield
        sys.stdout.flush()
    except ArchError as error:
        raise typer.Exit(report(error.diagnostics, format)) from error
    except Fault as fault:
        raise typer.Exit(report([fault.diagnostic], format)) from fault
    except (typer.Exit, typer.BadParameter):
        raise
    except BrokenPipeError:
        # the reader of the product has seen enough; the interpreter would complain again when it closes the stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.CLEAN) from None
    except RegistryError as error:
        _trace(error)
        complain(str(error))
        raise typer.Exit(Exit.USAGE) from error
    except OSError as error:
        _trace(error)
        place = f"{error.filename}: " if error.filename else ""
        complain(f"{place}{(error.strerror or str(error)).lower()}")
        raise typer.Exit(Exit.FILES) from error
    except Exception as error:
        raise typer.Exit(_internal(error, format)) from error


@contextmanager
def running(doing: str) -> Iterator[None]:
    """For a command that runs generated code: shows that it is busy, and ends as what comes of it asks."""
    from archc.run.isolate import ExhaustedError
    from archc.run.request import FileError, RunError

    try:
        with _busy(doing):
            yield
    except RunError as error:
        complain(str(error))
        raise typer.Exit(Exit.FILES if isinstance(error, FileError) else Exit.USAGE) from error
    except ExhaustedError as error:
        complain(f"{error}; smaller sizes need less")
        raise typer.Exit(Exit.ERRORS) from error


def show(found: RenderableType) -> None:
    """The product of a command, laid out for the terminal; for a pipe, as wide as it needs to be."""
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=_PIPED_COLUMNS)
    with console.capture() as captured:
        console.print(found)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def complain(message: str) -> None:
    """What keeps the command from going on, in a line."""
    head = "\x1b[1;31merror\x1b[0m" if _wants_color() else "error"
    sys.stderr.write(f"{head}: {escape(message)}\n")


def say(line: str) -> None:
    """One line to the person, whatever a stranger put in it."""
    sys.stderr.write(f"{escape(line)}\n")


def summed(files: int, claims: int) -> str:
    """What a check of some files that found nothing says: also of the claims that nobody has looked at."""
    clean = f"no errors in {files} {'file' if files == 1 else 'files'}"
    return f"{clean}, {claims} {'claim' if claims == 1 else 'claims'} not checked yet" if claims else clean


def tracked(items: Sequence[T], doing: str) -> Iterator[T]:
    """The items one by one, with a progress bar when somebody watches and it takes long enough to wonder."""
    if len(items) < 2 or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, doing, console=Console(stderr=True), transient=True)


def _busy(doing: str) -> AbstractContextManager[object]:
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(doing)


def _concerns_files(diagnostic: Diagnostic) -> bool:
    """A file named on the command line is missing, or one could not be written; one named in a spec is its error."""
    is_missing = diagnostic.code == "E0600" and not diagnostic.span.source.text
    return is_missing or diagnostic.code.startswith("E07")


def _wants_color() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _internal(error: Exception, format: Format) -> Exit:
    _trace(error)
    failure = CompilerFault(Span(Source("archc", ""), 0, 0), error=f"{type(error).__name__}: {error}")
    if format == "text":
        say(f"archc {VERSION}: {failure.message}")
        say("this is a fault of archc, not of the spec; `archc --debug ...` shows where it arose")
    else:
        report([failure], format)
    return Exit.INTERNAL


def _trace(error: Exception) -> None:
    if DEBUG.get():
        print_exception(error)
