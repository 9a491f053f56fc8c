"""What a user asks of a run, and why it may be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEVICES = ("cpu", "cuda")
DTYPES = ("float32", "float64", "bfloat16")


class RunError(Exception):
    """A run that its inputs, weights, sizes or device do not allow; the message says what to change."""


class FileError(RunError):
    """A file that cannot be read or written, or that is not of the format asked for."""


@dataclass(frozen=True)
class Request:
    """What to run with: values of size symbols, `.npy` files by input, a `.safetensors` file of weights, an `.npz` file
    for the outputs, the device and precision by name, and the seed of everything random."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)
    weights: Path | None = None
    output: Path | None = None
    device: str = "cpu"
    dtype: str = "float32"
    seed: int = 0
