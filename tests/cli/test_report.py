"""How a command ends: its exit code and what it says, whatever happens inside."""

from __future__ import annotations

import json

import pytest
import typer

from archc.base.diagnostic import ArchError, Diagnostic, Fault
from archc.base.registry import RegistryError
from archc.base.render import Format
from archc.base.span import Source, Span
from archc.cli.report import DEBUG, Exit, report, reporting
from archc.syntax.faults import MissingFile


class Bad(Diagnostic):
    """Bad."""

    code = "E9811"
    title = "bad"


class Odd(Diagnostic):
    """Odd."""

    code = "E9812"
    title = "odd"
    severity = "warning"


class Unwritable(Diagnostic):
    """Not written."""

    code = "E0798"
    title = "not written"


PLACE = Span(Source("a.arch", "net"), 0, 3)


@pytest.mark.parametrize("format", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], Exit.CLEAN),
        ([Odd(PLACE)], Exit.CLEAN),
        ([Odd(PLACE), Bad(PLACE)], Exit.ERRORS),
        ([Unwritable(PLACE), Bad(PLACE)], Exit.FILES),
    ],
    ids=["clean", "warning", "error", "file"],
)
def test_the_code_does_not_depend_on_the_format(found: list[Diagnostic], code: Exit, format: Format) -> None:
    assert report(found, format) == code


def test_a_finding_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    report([Bad(PLACE), Bad(PLACE)])
    captured = capsys.readouterr()
    assert captured.err.count("E9811") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ArchError([Bad(PLACE)]), 1, "error[E9811]: bad     a.arch:1:1"),
        (Fault(Unwritable(PLACE)), 3, "error[E0798]: not written"),
        (FileNotFoundError(2, "No such file or directory", "x\x1b.npy"), 3, "error: x\\x1b.npy: no such file"),
        (RegistryError("Pear in pear.py leaves `color` empty"), 2, "error: Pear in pear.py"),
        (KeyError("n"), 70, "internal error: KeyError: 'n'"),
        (RecursionError("deep"), 70, "internal error: RecursionError: deep"),
        (MemoryError(), 70, "internal error: MemoryError"),
        (AssertionError("a\x1b"), 70, "internal error: AssertionError: a\\x1b"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_exception_ends_the_command(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as raised, reporting():
        raise error
    captured = capsys.readouterr()
    assert raised.value.exit_code == code
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_traceback_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    token = DEBUG.set(True)
    try:
        with pytest.raises(typer.Exit), reporting():
            raise KeyError("n")
    finally:
        DEBUG.reset(token)
    assert "Traceback" in capsys.readouterr().err


def test_an_internal_error_leaves_a_valid_document(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), reporting("sarif"):
        raise KeyError("n")
    (run,) = json.loads(capsys.readouterr().err)["runs"]
    assert run["invocations"] == [{"executionSuccessful": False}]
    with pytest.raises(typer.Exit), reporting("json"):
        raise KeyError("n")
    assert json.loads(capsys.readouterr().err)["code"] == "E0999"


def test_a_command_ends_with_the_code_it_asks_for() -> None:
    with pytest.raises(typer.Exit) as raised, reporting():
        raise typer.Exit(Exit.MISMATCH)
    assert raised.value.exit_code == 4


def test_an_interrupt_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt), reporting():
        raise KeyboardInterrupt


def test_a_missing_file_is_a_matter_of_files_only_on_the_command_line() -> None:
    named = Span(Source("gone.arch", ""), 0, 0)
    assert report([MissingFile(named, path="gone.arch", reason="")]) == Exit.FILES
    assert report([MissingFile(PLACE, path="gone.arch", reason="")]) == Exit.ERRORS
