"""The writer: whole or not at all, and never over a file of somebody else."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archc.base.diagnostic import Fault
from archc.codegen.write import HEADER, write_file

OLD = f"{HEADER} 0.0.1\nold\n"
NEW = f"{HEADER} 0.1.0\nnew\n"


def refused(path: Path, *, force: bool = False) -> str:
    with pytest.raises(Fault) as raised:
        write_file(path, NEW, force=force)
    return raised.value.diagnostic.code


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_new_file(tmp_path: Path) -> None:
    write_file(tmp_path / "net.py", "caf\u00e9\n")
    assert (tmp_path / "net.py").read_bytes() == b"caf\xc3\xa9\n"
    assert names(tmp_path) == ["net.py"]


def test_a_generated_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(OLD)
    path.chmod(0o640)
    write_file(path, NEW)
    assert path.read_text() == NEW
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("text", ["", "import this\n", HEADER[:-1], " " + OLD])
def test_another_file_is_not_replaced_unless_forced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(text)
    assert refused(path) == "E0701"
    assert path.read_text() == text
    write_file(path, NEW, force=True)
    assert path.read_text() == NEW


@pytest.mark.parametrize("force", [False, True])
def test_only_plain_files(tmp_path: Path, force: bool) -> None:
    target = tmp_path / "target.py"
    target.write_text(OLD)
    (tmp_path / "link.py").symlink_to(target)
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("link.py", "folder.py", "pipe.py"):
        assert refused(tmp_path / name, force=force) == "E0702"
    assert target.read_text() == OLD
    assert (tmp_path / "link.py").is_symlink()


def test_no_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere" / "net.py") == "E0703"
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file" / "net.py") == "E0703"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert refused(tmp_path / "net.py") == "E0703"
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(OLD)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    assert refused(path) == "E0704"
    assert path.read_text() == OLD
    assert names(tmp_path) == ["net.py"]


def test_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(OLD)
    script = (
        "import os, signal; from pathlib import Path; from archc.codegen.write import write_file\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"write_file(Path({str(path)!r}), {NEW!r})\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == OLD
    (stray,) = tmp_path.glob(".archc-*.tmp")
    write_file(path, NEW)
    assert stray.exists()
    os.utime(stray, (time.time() - 10_000,) * 2)
    write_file(path, NEW)
    assert names(tmp_path) == ["net.py"]
