"""Values from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from archc.cli.options import pairs, size, spec_files, value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("8", 8),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("true", True),
        ("false", False),
        ("relu", "relu"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("1e999", "1e999"),
        ("\u0663", "\u0663"),
        ("9" * 5000, "9" * 5000),
    ],
    ids=lambda value: str(value)[:8],
)
def test_value(text: str, meant: object) -> None:
    found = value(text)
    assert found == meant
    assert type(found) is type(meant)


def test_pairs() -> None:
    assert pairs("--set", ["hidden=8", "act=relu", "eq=a=b"], value) == {"hidden": 8, "act": "relu", "eq": "a=b"}
    assert pairs("--size", ["batch=0"], size) == {"batch": 0}
    assert pairs("--input", ["x=a/b.npy"], Path) == {"x": Path("a/b.npy")}


@pytest.mark.parametrize("given", [["hidden"], ["=8"], ["hidden="], ["a b=8"], ["a=1", "a=2"], ["n=-1"], ["n=x"]])
def test_bad_pairs_are_usage_errors(given: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        pairs("--size", given, size)


def test_spec_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.arch", "b/a.arch", "b/notes.txt"):
        (tmp_path / name).write_text("")
    gone = tmp_path / "gone.arch"
    assert spec_files([tmp_path / "z.arch", tmp_path, gone]) == [tmp_path / "z.arch", tmp_path / "b" / "a.arch", gone]
    (tmp_path / "empty").mkdir()
    with pytest.raises(typer.BadParameter):
        spec_files([tmp_path / "empty"])
