"""Runs a generated module once, on given or random inputs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from archc.ir.graph import TypedGraph
from archc.run.agreement import ASSUMPTION, outputs_by_name
from archc.run.files import save_arrays
from archc.run.given import Feed, checked, feed
from archc.run.load import LoadError, instantiate, load_module
from archc.run.report import Output, RunReport, Statistics
from archc.run.request import Request, RunError
from archc.run.weights import load_weights

Array = NDArray[Any]

_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
_COMPLEX = {torch.float64: torch.complex128}
_FULL = ("not enough memory", "can't allocate memory", "out of memory")


@dataclass(frozen=True)
class Outcome:
    """The outputs of a run in the declared order of axes, and the report on it."""

    outputs: Mapping[str, Array]
    report: RunReport


def run(graph: TypedGraph, source: str, request: Request | None = None) -> Outcome:
    """Build the module in `source`, feed it, run it once after a first run that warms it up, keep the outputs.

    Inputs that no file gives are random. Raises RunError.
    """
    request = checked(request or Request())
    return execute(graph, source, request, feed(graph, request))


def execute(graph: TypedGraph, source: str, request: Request, fed: Feed) -> Outcome:
    """`run` with what is fed to the module. Raises RunError."""
    device, dtype = device_of(request.device), _DTYPES[request.dtype]
    with _refusing():
        built = torch.float64 if dtype == torch.float64 else torch.float32
        module = instantiate(load_module(source), fed.sizes, dtype=built, seed=request.seed)
        if request.weights is not None:
            load_weights(module, request.weights)
        module = module.to(device=device, dtype=dtype).eval()
        tensors = [_tensor(fed.arrays[port.name], device, dtype) for port in graph.net.region.inputs]
        result, seconds = _timed(module, tensors, device)
    outputs = {name: _array(tensor) for name, tensor in outputs_by_name(graph, result).items()}
    if request.output is not None:
        save_arrays(request.output, outputs)
    count = sum(parameter.numel() for parameter in module.parameters())
    shown = tuple(
        Output(value.name, str(value.type), outputs[value.name].shape, _statistics(outputs[value.name]))
        for value in graph.net.outputs
    )
    report = RunReport(graph.net.word, fed.sizes, shown, count, seconds, request.device, request.dtype)
    return Outcome(outputs, report)


def device_of(word: str) -> torch.device:
    """The device called `cpu` or `cuda`. Raises RunError where this machine has none."""
    if word == "cuda" and not torch.cuda.is_available():
        raise RunError("this machine has no CUDA device; use --device cpu")
    return torch.device(word)


@contextmanager
def _refusing() -> Iterator[None]:
    """What the module asks of its user, and what the machine cannot hold, is no fault of the module."""
    try:
        yield
    except LoadError as error:
        raise RunError(str(error)) from error
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or any(words in str(error) for words in _FULL):
            raise RunError("the module does not fit into memory at these sizes") from error
        if str(error).startswith(ASSUMPTION):
            raise RunError(f"{error} for these inputs; give others with --input") from error
        raise


def _tensor(array: Array, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    if tensor.is_complex():
        return tensor.to(device=device, dtype=_COMPLEX.get(dtype, torch.complex64))
    return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else tensor.dtype)


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
    return np.asarray((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().cpu().numpy())


def _statistics(array: Array) -> Statistics | None:
    if array.size == 0:
        return None
    numbers = np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)
    with np.errstate(all="ignore"):
        found = (numbers.mean(), numbers.std(), numbers.min(), numbers.max())
    return Statistics(*map(float, found))
