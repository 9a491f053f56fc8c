"""The files that a run reads and writes, on a disk that may hold anything."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from archc.run.request import FileError

Array = NDArray[Any]

_ARCHIVE = b"PK"
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def demand_readable(path: Path, suffix: str, otherwise: str) -> None:
    """Raise FileError unless a plain file with the suffix can be read."""
    with opened(path):
        if path.suffix != suffix:
            raise FileError(f"{path} is no {suffix} file; {otherwise}")


def demand_replaceable(path: Path, suffix: str) -> None:
    """Raise FileError unless a file with the suffix may be written: into a folder, over nothing but its like."""
    if path.suffix != suffix:
        raise FileError(f"{path} is no name of an {suffix} file")
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path} cannot be written: permission denied")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise FileError(f"{path} cannot be written: it is a folder, a symbolic link or a device")
    if path.exists():
        with opened(path) as file:
            if file.read(len(_ARCHIVE)) not in (_ARCHIVE, b""):
                raise FileError(f"{path} exists and is no {suffix} file; write to another")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A plain file, open for reading; never waits for a pipe or a device. Raises FileError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {_reason(error)}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileError(f"{path} cannot be read: it is no plain file")
        yield file


def read_array(path: Path) -> Array:
    """The array in an `.npy` file, never one that can hold code. Raises FileError."""
    with opened(path) as file:
        try:
            found = np.load(file, allow_pickle=False)
        except OSError as error:
            raise FileError(f"{path} cannot be read: {_reason(error)}") from error
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise FileError(f"{path} is no array file of NumPy (.npy)") from error
        except MemoryError as error:
            raise FileError(f"{path} holds more than fits into memory") from error
    if not isinstance(found, np.ndarray):
        raise FileError(f"{path} holds several arrays; give one in an .npy file")
    return found


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name as an `.npz` file, whole or not at all. Raises FileError."""
    demand_replaceable(path, ".npz")
    beside = path.with_name(f".archc-{token_hex(8)}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o666)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        beside.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {_reason(error)}") from error
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _reason(error: OSError | ValueError) -> str:
    return ((error.strerror if isinstance(error, OSError) else "") or str(error)).lower()
