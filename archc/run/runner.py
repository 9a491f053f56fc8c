"""Runs a generated module once, on given or random inputs."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from archc.ir.graph import TypedGraph
from archc.ir.node import Value
from archc.readings.values import MeaningError, bind
from archc.run.agreement import outputs_by_name
from archc.run.feed import inputs as random_inputs
from archc.run.load import LoadError, instantiate, load_module
from archc.run.sizes import SizesNotFoundError, choose

Array = NDArray[Any]

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
_ACCEPTED = {"bool": "b", "int": "iu", "index": "iu", "complex": "fc"}
_WORDS = {"f": "floating-point numbers", "i": "integers", "u": "unsigned integers", "b": "truth values"}


class RunError(Exception):
    """A run that its inputs, weights, sizes or device do not allow; the message says what to change."""


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


@dataclass(frozen=True)
class RunReport:
    """What a run gave: the sizes, the outputs in the declared order of axes, how many learned numbers the module has,
    how many seconds its forward pass took. Prints as a table with rich."""

    graph: TypedGraph
    sizes: Mapping[str, int]
    outputs: Mapping[str, Array]
    parameters: int
    seconds: float
    device: str
    dtype: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(title=self.graph.net.word)
        for title in ("output", "axes", "shape"):
            table.add_column(title)
        for title in ("mean", "std", "min", "max"):
            table.add_column(title, justify="right")
        for value in self.graph.net.outputs:
            array = self.outputs[value.name]
            shape = " x ".join(map(str, array.shape)) or "scalar"
            table.add_row(value.name, Text(str(value.type)), shape, *_statistics(array))
        yield table
        at = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        if at:
            yield f"sizes: {at}"
        yield f"{self.parameters:,} parameters, {1000 * self.seconds:.2f} ms forward on {self.device} in {self.dtype}"


def run(graph: TypedGraph, source: str, request: Request | None = None, *, name: str | None = None) -> RunReport:
    """Build the module in `source`, feed it, run it once after a first run that warms it up, keep the outputs.

    Inputs that no file gives are random. Raises RunError.
    """
    request = request or Request()
    device, dtype = _device(request.device), _dtype(request.dtype)
    arrays = _given(graph, request.inputs)
    try:
        sizes = choose(graph, "small", {**_from_shapes(graph, arrays), **request.sizes}, request.seed)
        every = random_inputs(graph, sizes, request.seed) | arrays
        sizes = bind(graph.net, every, sizes)
        exact = torch.float64 if dtype == torch.float64 else torch.float32
        module = instantiate(load_module(source, name), sizes, dtype=exact, seed=request.seed)
    except (SizesNotFoundError, MeaningError, LoadError) as error:
        raise RunError(str(error)) from error
    for port in graph.net.region.inputs:
        _check_positions(port, every[port.name], sizes)
    if request.weights is not None:
        _load_weights(module, request.weights)
    module = module.to(device=device, dtype=dtype).eval()
    tensors = [_tensor(every[port.name], device, dtype) for port in graph.net.region.inputs]
    result, seconds = _timed(module, tensors, device)
    outputs = {name: _array(tensor) for name, tensor in outputs_by_name(graph, result).items()}
    if request.output is not None:
        save(request.output, outputs)
    count = sum(parameter.numel() for parameter in module.parameters())
    return RunReport(graph, sizes, outputs, count, seconds, request.device, request.dtype)


def save(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name as an `.npz` file, whole or not at all. Raises OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "x") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _device(word: str) -> torch.device:
    if word not in ("cpu", "cuda"):
        raise RunError(f"there is no device {word}; the devices are cpu and cuda")
    if word == "cuda" and not torch.cuda.is_available():
        raise RunError("this machine has no CUDA device; run with --device cpu")
    return torch.device(word)


def _dtype(word: str) -> torch.dtype:
    if word not in DTYPES:
        raise RunError(f"there is no precision {word}; the precisions are {', '.join(DTYPES)}")
    return DTYPES[word]


def _given(graph: TypedGraph, files: Mapping[str, Path]) -> dict[str, Array]:
    """The arrays that files give, each of the kind and number of axes that its port declares."""
    ports = {port.name: port for port in graph.net.region.inputs}
    if unknown := [name for name in files if name not in ports]:
        raise RunError(f"the net has no input {', '.join(unknown)}; its inputs are {', '.join(ports)}")
    arrays = {name: _read(path) for name, path in files.items()}
    for name, array in arrays.items():
        declared = ports[name].type
        if array.dtype.kind not in _ACCEPTED.get(declared.kind.word, "f"):
            raise RunError(f"input {name} is {declared.kind}, but {files[name]} holds {_word(array)}")
        if array.ndim != len(declared.axes):
            raise RunError(f"input {name} is {declared}, but {files[name]} has shape {array.shape}")
    return arrays


def _read(path: Path) -> Array:
    try:
        found = np.load(path, allow_pickle=False)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} is no array file of NumPy (.npy)") from error
    if not isinstance(found, np.ndarray):
        raise RunError(f"{path} holds several arrays; give one in an .npy file")
    return found


def _word(array: Array) -> str:
    return f"{_WORDS.get(array.dtype.kind, 'entries')} ({array.dtype})"


def _from_shapes(graph: TypedGraph, arrays: Mapping[str, Array]) -> dict[str, int]:
    """The size symbols that the shapes of the given arrays say; contradictions are found when sizes are bound."""
    names = {symbol.name for symbol in graph.net.symbols}
    found: dict[str, int] = {}
    for port in graph.net.region.inputs:
        shape = arrays[port.name].shape if port.name in arrays else ()
        for axis, length in zip(port.type.axes, shape, strict=False):
            known = found.setdefault(str(axis.size), length) if str(axis.size) in names else axis.size.constant
            if known is not None and known != length:
                raise RunError(
                    f"input {port.name} is {port.type}, but has {length} positions on {axis.name}, not {known}"
                )
    return found


def _check_positions(port: Value, array: Array, sizes: Mapping[str, int]) -> None:
    """Every index lies inside its axis."""
    kind = port.type.kind
    if kind.word != "index" or kind.size is None or array.size == 0:
        return
    low, high, count = array.min(), array.max(), kind.size.evaluate(sizes)
    if low < 0 or high >= count:
        raise RunError(f"input {port.name} is {kind} with entries from {low} to {high}, but {kind.size} is {count}")


def _load_weights(module: nn.Module, path: Path) -> None:
    """Load a safetensors file whose names and shapes are exactly the module's; never anything that can hold code."""
    if path.suffix != ".safetensors":
        raise RunError(f"{path} is no .safetensors file; other formats can hold code and are not read")
    try:
        tensors = load_file(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise RunError(f"{path} is no valid safetensors file: {error}") from error
    state = module.state_dict()
    if missing := sorted(state.keys() - tensors.keys()):
        raise RunError(f"{path} lacks {', '.join(missing)}")
    if unknown := sorted(tensors.keys() - state.keys()):
        raise RunError(f"{path} has {', '.join(unknown)}, which the module does not")
    for name, tensor in tensors.items():
        if tensor.shape != state[name].shape:
            raise RunError(f"{path} has {name} of shape {tuple(tensor.shape)}, not {tuple(state[name].shape)}")
    module.load_state_dict(tensors)


def _tensor(array: Array, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if tensor.is_floating_point():
        return tensor.to(device=device, dtype=dtype)
    return (
        tensor.to(device)
        if tensor.dtype in (torch.bool, torch.complex64, torch.complex128)
        else tensor.long().to(device)
    )


def _timed(module: nn.Module, tensors: list[torch.Tensor], device: torch.device) -> tuple[object, float]:
    """The result of a forward pass and its seconds, after one that is not timed."""
    with torch.inference_mode():
        module(*tensors)
        _finish(device)
        start = time.perf_counter()
        result = module(*tensors)
        _finish(device)
    return result, time.perf_counter() - start


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _array(tensor: torch.Tensor) -> Array:
    """NumPy has no bfloat16."""
    return np.asarray((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).cpu().numpy())


def _statistics(array: Array) -> tuple[str, str, str, str]:
    if array.size == 0:
        return ("", "", "", "")
    numbers = np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)
    found = (numbers.mean(), numbers.std(), numbers.min(), numbers.max())
    mean, std, low, high = (f"{number:.4g}" for number in found)
    return mean, std, low, high
