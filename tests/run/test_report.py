"""What is reported travels as text and fits into the terminal."""

from __future__ import annotations

import io
from math import inf, nan

import pytest
from rich.console import Console

from archc.run.report import Comparison, Output, RunReport, Statistics, Trial, VerifyReport

RAN = RunReport(
    net="Net",
    sizes={"width": 32, "batch": 2},
    outputs=(
        Output("logits", "real[batch, c: 1, h, w]", (2, 1, 16, 24), Statistics(-0.041, 0.011, -0.074, inf)),
        Output("count", "int[]", (), Statistics(3, 0, 3, 3)),
        Output("none", "real[n]", (0,), None),
    ),
    parameters=1_752_353,
    seconds=0.12,
    device="cpu",
    dtype="float32",
)
AGREED = VerifyReport(
    "Net",
    (
        Trial("primes", {"batch": 2}, (Comparison("output", "y", 1e-16, 1e-9),)),
        Trial("ones", {"batch": 1}, (Comparison("input", "x", 2e-11, 1e-5),)),
    ),
)
DIFFERED = VerifyReport(
    "Net",
    (
        Trial("small", {}, (Comparison("parameter", "passes.0.layer_weight", inf, 1e-5, kink=True),)),
        Trial("ones", {"n": 1}, fault="the generated module fails: [/red] x"),
    ),
)


def printed(found: object, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(found)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_run_travels() -> None:
    assert RunReport.from_json(RAN.to_json()) == RAN


@pytest.mark.parametrize("report", [AGREED, DIFFERED], ids=["agreed", "differed"])
def test_a_verification_travels(report: VerifyReport) -> None:
    again = VerifyReport.from_json(report.to_json())
    assert again == report
    assert again.ok == report.ok


def test_no_number_is_no_agreement() -> None:
    report = VerifyReport("Net", (Trial("ones", {}, (Comparison("output", "y", nan, 1e-9),)),))
    assert not report.ok
    assert not VerifyReport.from_json(report.to_json()).ok
    assert not VerifyReport("Net", ()).ok


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("report", [RAN, AGREED, DIFFERED], ids=["ran", "agreed", "differed"])
def test_reports_fit(report: object, width: int) -> None:
    assert all(len(line) <= width for line in printed(report, width).splitlines())


def test_what_is_said() -> None:
    said = printed(RAN, 200)
    assert "logits: real[batch, c: 1, h, w], 2 x 1 x 16 x 24\n    mean -0.041, std 0.011, min -0.074, max inf\n" in said
    assert "count: int[], one number\n" in said
    assert "sizes: width = 32, batch = 2\n1,752,353 parameters, 120.00 ms forward on cpu in float32\n" in said
    assert "module and reference agree" in printed(AGREED, 80)
    differed = printed(DIFFERED, 80)
    assert "inf (kink)" in differed
    assert "fails: [/red] x" in differed
    assert "module and reference differ" in differed
