"""`archc run` and `archc verify`, from the command line to the exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from archc.base.assets import specs_root
from archc.cli.commands import app
from archc.run import apart
from archc.run.isolate import CallError, ExhaustedError, IsolationError
from archc.run.report import Comparison, Trial, VerifyReport

KAN = specs_root() / "kan" / "kan.arch"

HALF = """
net Half (width = 4) (x: real[batch, d: 3], i: index(d)[batch]) -> (y: real[batch, h: width])
    where width % 2 == 0
{
    return layer(x, d -> h: width) + x[d: i]
}
"""


def archc(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A net in a folder of its own, which is where the command stands."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "half.arch"
    path.write_text(HALF)
    np.save("x.npy", np.arange(6.0).reshape(2, 3))
    np.save("i.npy", np.array([0, 2]))
    np.save("whole.npy", np.zeros((2, 3), dtype=int))
    np.save("wide.npy", np.zeros((2, 4)))
    np.save("code.npy", np.array([print]), allow_pickle=True)
    Path("notes.npz").write_text("mine")
    return path


def test_run(spec: Path) -> None:
    unet = specs_root() / "vision" / "unet.arch"
    sizes = ("--set", "width=4", "--size", "batch=2", "--size", "h=16", "--size", "w=24")
    result = archc("run", unet, *sizes, "--seed", 3, "--output", "y.npz")
    assert result.exit_code == 0, result.stderr
    first, *rest = result.stdout.splitlines()
    assert first == "UNet"
    assert rest[0] == "y: real[batch, c: 1, h, w], 2 x 1 x 16 x 24"
    assert rest[2] == "sizes: width = 4, batch = 2, h = 16, w = 24"
    assert "parameters" in rest[3]
    assert "\x1b" not in result.output
    assert result.stderr == "wrote y.npz\n"
    with np.load("y.npz", allow_pickle=False) as kept:
        assert kept["y"].shape == (2, 1, 16, 24)


def test_run_on_files(spec: Path) -> None:
    from safetensors.numpy import save_file

    weight, bias = np.eye(4, 3, dtype=np.float32), np.ones(4, dtype=np.float32)
    save_file({"layer_weight": weight, "layer_bias": bias}, "w.safetensors")
    given = ("--input", "x=x.npy", "--input", "i=i.npy", "--weights", "w.safetensors")
    result = archc("run", spec, *given, "--dtype", "float64", "--output", "y.npz")
    assert result.exit_code == 0, result.stderr
    with np.load("y.npz", allow_pickle=False) as kept:
        assert np.array_equal(kept["y"], [[1, 2, 3, 1], [9, 10, 11, 6]])
    found = json.loads(archc("verify", spec, *given, "--json").stdout)
    assert found["ok"] is True
    assert [trial["sizes"] for trial in found["trials"]] == [{"width": 4, "batch": 2}]


def test_verify(spec: Path) -> None:
    result = archc("verify", spec, "--size", "width=6")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith("Half: module and reference agree\n")
    assert [line.split(":")[0] for line in result.stdout.splitlines() if "width = 6" in line] == [
        "primes",
        "equal",
        "ones",
    ]


def test_a_mismatch_has_a_code_of_its_own(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = VerifyReport("Half", (Trial("ones", {"batch": 1}, (Comparison("output", "y", 0.1, 1e-9),)),))
    monkeypatch.setattr(apart, "isolated", lambda *_: json.dumps({"found": wrong.to_json()}))
    result = archc("verify", spec)
    assert result.exit_code == 4
    assert "module and reference differ" in result.stdout
    result = archc("verify", spec, "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["ok"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("--net Whole", 2, "no net is called `Whole`"),
        ("--set wdth=2", 2, "did you mean `width`?"),
        ("--set width=wide", 2, "takes a whole number"),
        ("--set width=2 --set width=4", 2, "`width` is given twice"),
        ("--set width=3", 1, "error[E0321]"),
        ("--size width=3", 2, "asks for width % 2 == 0, which does not hold for width = 3"),
        ("--size bach=3", 2, "no size symbol bach; did you mean batch?"),
        ("--size batch", 2, "not of the form name=value"),
        ("--size batch=-1", 2, "a size is a whole number"),
        ("--input q=x.npy", 2, "no input q; its inputs are x, i"),
        ("--input x=gone.npy", 3, "gone.npy cannot be read: no such file or directory"),
        ("--input x=half.arch", 3, "no .npy file"),
        ("--input x=code.npy", 3, "no array file of NumPy"),
        ("--input x=whole.npy", 2, "input x is real, but"),
        ("--input x=wide.npy", 2, "4 positions on d, not 3"),
        ("--weights x.npy", 3, "can hold code"),
        ("--device tpu", 2, "did you mean `cpu`"),
        ("--seed -1", 2, "greater than or equal to 0"),
        ("--bogus", 2, "No such option"),
    ],
)
def test_mistakes(arguments: str, code: int, said: str, spec: Path) -> None:
    result = archc("run", spec, *arguments.split())
    assert result.exit_code == code, result.stderr
    assert said in " ".join(result.stderr.replace("\u2502", " ").split())
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", ["--output notes.npz", "--output gone/y.npz", "--output y.txt", "--output ."])
def test_an_output_that_must_not_be(arguments: str, spec: Path) -> None:
    result = archc("run", spec, *arguments.split())
    assert result.exit_code == 3
    assert result.stderr.startswith("error: ")
    assert Path("notes.npz").read_text() == "mine"


@pytest.mark.parametrize("arguments", ["--dtype float32", "--output y.npz"])
def test_verify_has_one_precision_and_no_product(arguments: str, spec: Path) -> None:
    assert archc("verify", spec, *arguments.split()).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            ExhaustedError("there was no answer within 9 seconds"),
            1,
            "error: there was no answer within 9 seconds; smaller",
        ),
        (IsolationError("it ended without an answer, by SIGSEGV"), 70, "a fault of archc"),
        (CallError("KeyError: 'n'"), 70, "KeyError: 'n'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_process_that_fails(
    error: Exception, code: int, said: str, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(apart, "isolated", fail)
    for command in ("run", "verify"):
        result = archc(command, spec)
        assert result.exit_code == code
        assert said in result.stderr
        assert "Traceback" not in result.stderr


def test_an_interrupt_ends_both_processes(spec: Path) -> None:
    start = "import sys; from archc.cli import main; sys.argv[0] = 'archc'; main()"
    long = KAN.parent.parent / "operators" / "mgno.arch"
    command = [sys.executable, "-c", start, "verify", str(long)]
    process = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(spec.parent)}, stderr=subprocess.DEVNULL)
    while not list(spec.parent.glob("archc-*")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert not list(spec.parent.glob("archc-*"))
