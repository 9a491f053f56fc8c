"""A generated module from its text."""

from __future__ import annotations

import inspect
import linecache
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from types import CodeType
from typing import Any

import torch
from torch import nn

from archc.ir.attribute import attribute


class LoadError(Exception):
    """The text is not a module that defines the class asked for, or the class does not take the sizes given."""


class _Texts(InspectLoader):
    """Loads modules from texts that lie in no file; tracebacks and `inspect` find their lines."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def get_source(self, fullname: str) -> str:
        """The text of a module."""
        return self.texts[fullname]

    def get_code(self, fullname: str) -> CodeType:
        """The text of a module, compiled."""
        return self.source_to_code(self.texts[fullname], f"<{fullname}>")


@contextmanager
def solved_to_rounding(found: type[nn.Module]) -> Iterator[None]:
    """For a while the fixpoints of a generated module are solved as well as float64 can, whatever the spec asks for,
    and Newton's method on a scan iterates until it is exact."""
    module = vars(sys.modules[found.__module__])
    solvers: dict[str, Any] = {name: module[name] for name in ("_solve", "_newton") if name in module}

    def solve(step: object, start: object, samples: int, memory: int, mixing: float, *rest: object) -> object:
        return solvers["_solve"](step, start, samples, memory, mixing, _ROUNDING, _STEPS, rest[-1])

    def newton(step: object, states: Sequence[torch.Tensor], *captured: object, iterations: int) -> object:
        # an iteration makes one more position exact, and another its gradient
        return solvers["_newton"](step, states, *captured, iterations=max(iterations, len(states[0]) + 1))

    exact = {"_solve": solve, "_newton": newton}
    module.update({name: exact[name] for name in solvers})
    try:
        yield
    finally:
        module.update(solvers)


def is_iterative(found: type[nn.Module]) -> bool:
    """Whether a generated module finds some of its values by iteration, up to a tolerance."""
    return not {"_solve", "_newton"}.isdisjoint(vars(sys.modules[found.__module__]))


_ROUNDING = 1e-13
_STEPS = 2000


def load_module(source: str, name: str | None = None) -> type[nn.Module]:
    """The class `name` that a generated text defines, by default the last, which is the net's.

    It lives in a module of its own; the same text gives the same class. Raises LoadError when there is no such
    `nn.Module`.
    """
    key = f"archc_generated_{sha256(source.encode()).hexdigest()[:16]}"
    module = sys.modules.get(key)
    if module is None:
        loader, path = _Texts({key: source}), f"<{key}>"
        spec = spec_from_loader(key, loader)
        if spec is None:
            raise LoadError("no module can be made of the text")
        module = module_from_spec(spec)
        linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
        sys.modules[key] = module
        try:
            loader.exec_module(module)
        except BaseException:
            del sys.modules[key]
            raise
    defined = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, nn.Module)]
    found = [one for one in defined if one.__module__ == key and name in (None, one.__name__)]
    if not found:
        raise LoadError(f"the generated text defines no module {name or 'at all'}")
    return found[-1]


def instantiate(
    found: type[nn.Module], sizes: Mapping[str, int], *, dtype: torch.dtype | None = None, seed: int | None = None
) -> nn.Module:
    """An instance of a generated class, given those of the sizes that its constructor asks for.

    It is built in `dtype`, by default that of torch, so that its constants are as exact as that, from random numbers
    that follow from `seed`; torch's defaults, and with a seed its random state, are as before. Raises LoadError when it
    asks for a size that is not given.
    """
    wanted = list(inspect.signature(found).parameters.values())
    given = {attribute(name): size for name, size in sizes.items()}
    missing = [p.name for p in wanted if p.default is p.empty and p.name not in given]
    if missing:
        raise LoadError(f"{found.__name__} asks for {', '.join(missing)}")
    arguments = {p.name: given[p.name] for p in wanted if p.name in given}
    dtype = dtype or torch.get_default_dtype()
    if seed is None:
        with default_dtype(dtype):
            return found(**arguments)
    with torch.random.fork_rng(devices=[]), default_dtype(dtype):
        torch.manual_seed(seed)
        return found(**arguments)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Make `dtype` the precision of new tensors for the length of a `with` statement."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
