"""Parameters from a file."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from archc.run.files import opened
from archc.run.request import FileError, RunError


def load_weights(module: nn.Module, path: Path) -> None:
    """Load a safetensors file whose names and shapes are exactly the module's; never anything that can hold code.

    Raises FileError where the file is none, RunError where it is of another module.
    """
    with opened(path):
        try:
            tensors = load_file(path)
        except (SafetensorError, OSError) as error:
            raise FileError(f"{path} is no valid safetensors file: {error}") from error
    state = module.state_dict()
    if missing := sorted(state.keys() - tensors.keys()):
        raise RunError(f"{path} lacks {', '.join(missing)}")
    if unknown := sorted(tensors.keys() - state.keys()):
        raise RunError(f"{path} has {', '.join(unknown)}, which the module does not")
    for name, tensor in tensors.items():
        if tensor.shape != state[name].shape:
            raise RunError(f"{path} has {name} of shape {tuple(tensor.shape)}, not {tuple(state[name].shape)}")
    module.load_state_dict(tensors)
