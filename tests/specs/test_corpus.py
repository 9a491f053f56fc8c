"""Every spec is clean, names its paper, and reads well; other forms than the defaults agree with the reference too."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

import archc
from archc.run.verify import verify
from tests.specs.conftest import NAMES, ROOT, Net

NAMED = "mlp kan chebykan deepsets conv deeponet hyper attention rgcn unet"
LINTS = "E,F,W,I,B,C4,UP,PIE,SIM,RET,PERF,RUF"


def test_the_ten_are_there() -> None:
    assert set(NAMED.split()) <= {Path(name).name for name in NAMES}


def test_check_finds_nothing(net: Net) -> None:
    assert [str(finding) for finding in archc.check(net.path) if finding.severity != "note"] == []


def test_header_names_the_paper(net: Net) -> None:
    lines = net.path.read_text(encoding="utf-8").splitlines()
    header = "".join(takewhile(lambda line: line.startswith("#"), lines))
    assert any(mark in header for mark in ("arXiv:", "Nature", "Proceedings"))


OTHERS = {
    "attention/attention": {"depth": 1},
    "basic/mlp": {"depth": 1},
    "kan/fast_kan": {"count": 4},
    "kan/fourier_kan": {"frequencies": 3},
    "kan/kan": {"order": 2},
    "kan/kan_conv": {"width": 2, "order": 1},
    "kan/kat": {"width": 8, "depth": 1, "heads": 4, "groups": 4, "patches": 3},
    "kan/relu_kan": {"grid": 3, "order": 1},
    "kan/trukan": {"order": 2, "grid": 2},
    "operators/deeponet": {"latent": 2},
    "vision/unet": {"levels": 1},
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_forms_agree_with_the_reference(name: str) -> None:
    path = ROOT / f"{name}.arch"
    graph = archc.graph(path, **OTHERS[name])
    kept = {s.name: OTHERS[name][s.name] for s in graph.net.symbols if s.name in OTHERS[name]}
    report = verify(graph, archc.build(path, **OTHERS[name]), sizes=kept, seed=5)
    assert report.ok, report.to_json()
    assert [trial.regime for trial in report.trials] == ["primes", "equal", "ones"]


def test_generated_files_are_tidy(tmp_path: Path) -> None:
    for name in NAMES:
        text = archc.build(ROOT / f"{name}.arch")
        (tmp_path / f"{name.replace('/', '_')}.py").write_text(text, encoding="utf-8")
    for command in (["check", "--select", LINTS], ["format", "--check", "--diff"]):
        ended = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--target-version", "py311", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
