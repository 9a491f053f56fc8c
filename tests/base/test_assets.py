"""The files that come with the compiler are found in a checkout and in a wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from archc.base import assets


def test_found_in_a_checkout() -> None:
    assert assets.specs_root().is_dir()
    assert assets.grammar_root().is_dir()
    assert assets.specs_root().parent == Path(__file__).resolve().parents[2]


def test_no_such_grammar() -> None:
    with pytest.raises(FileNotFoundError):
        assets.grammar("nothing.lark")


def test_found_in_a_wheel(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    ZipFile(wheel).extractall(tmp_path / "installed")
    asked = "from archc.base import assets; print(assets.specs_root(), assets.grammar_root())"
    found = subprocess.run(
        [sys.executable, "-c", asked], cwd=tmp_path / "installed", check=True, capture_output=True, text=True
    ).stdout.split()
    data = tmp_path / "installed" / "archc" / "data"
    assert [Path(path).resolve() for path in found] == [(data / "specs").resolve(), (data / "grammars").resolve()]
    assert sorted(path.name for path in (data / "specs").iterdir()) == sorted(
        path.name for path in (root / "specs").iterdir()
    )
