"""What a command says besides its product, on the standard error stream, and the code that it ends with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from traceback import print_exception
from typing import TypeVar

import typer

from archc.base.diagnostic import ArchError, Diagnostic, Fault, Findings
from archc.base.escape import escape
from archc.base.interchange import CompilerFault
from archc.base.registry import RegistryError
from archc.base.render import Format, render
from archc.base.span import Source, Span
from archc.base.version import VERSION

T = TypeVar("T")

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


def report(found: Iterable[Diagnostic], format: Format = "text") -> Exit:
    """Print the diagnostics, each place once, and say how the command ends."""
    findings = Findings()
    for diagnostic in found:
        findings.add(diagnostic)
    sys.stderr.write(render(findings, format, color=_wants_color()))
    if any(map(_concerns_files, findings.errors)):
        return Exit.FILES
    return Exit.ERRORS if findings.errors else Exit.CLEAN


@contextmanager
def reporting(format: Format = "text") -> Iterator[None]:
    """End the command as its first exception asks; nothing but the exceptions of the command line passes through."""
    try:
        yield
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
        say(f"error: {error}")
        raise typer.Exit(Exit.USAGE) from error
    except OSError as error:
        _trace(error)
        place = f"{error.filename}: " if error.filename else ""
        say(f"error: {place}{(error.strerror or str(error)).lower()}")
        raise typer.Exit(Exit.FILES) from error
    except Exception as error:
        raise typer.Exit(_internal(error, format)) from error


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
