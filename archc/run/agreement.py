"""How far a generated module is from the reference: its values, and its gradients against finite differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from archc.ir.graph import TypedGraph
from archc.ir.parameter import Placed, parameters
from archc.readings.held import Held
from archc.readings.known import Known
from archc.readings.values import reference
from archc.run.feed import inputs
from archc.run.load import LoadError
from archc.run.report import Comparison, What
from archc.run.request import RunError
from archc.types.tensor_type import TensorType

Array = NDArray[Any]

ASSUMPTION = "the assumption at"
"""How a generated module begins to say that its inputs are not as the spec assumes."""

FORWARD_LIMIT = 1e-9
GRADIENT_LIMIT = 1e-5
_STEPS = (1e-5, 1e-6, 1e-7)
_CURVATURE = 1e-3
_NOISE = 16 * float(np.finfo(np.float64).eps)
_SPREAD = 0.2
_CPU = torch.device("cpu")


class Disagreement(Exception):
    """The generated module does not even have the parameters, the outputs or the shapes of its graph."""


@contextmanager
def failing_as_disagreement() -> Iterator[None]:
    """Whatever generated code raises is a finding about it, not an error of the comparison; but that an assumption does
    not hold is a finding about the inputs. Raises Disagreement and RunError."""
    try:
        yield
    except (Disagreement, LoadError):
        raise
    except Exception as error:
        if str(error).startswith(ASSUMPTION):
            raise RunError(f"{error} for these inputs; give others with --input") from error
        raise Disagreement(f"the generated module fails: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Agreement:
    """A generated module in float64 and its graph at one binding of sizes, on the inputs that are given, random ones
    for the rest, and random parameters, or those of the module where `is_trained`; in evaluation or `training`."""

    graph: TypedGraph
    module: nn.Module
    sizes: Mapping[str, int]
    seed: int
    given: Mapping[str, Array] = field(default_factory=dict)
    is_trained: bool = False
    device: torch.device = _CPU
    training: bool = False

    def compare(self) -> list[Comparison]:
        """The errors of the outputs, of the states after the run, then of the gradients of every parameter and every
        real input.

        The gradients are of the sum of the outputs times random numbers. Raises Disagreement and MeaningError.
        """
        self.check_parameters()
        produced, gradients = self.differentiated()
        found = [
            Comparison("output", name, _distance(produced[name], wanted), FORWARD_LIMIT)
            for name, wanted in self.wanted.items()
        ]
        after = self.module.state_dict()
        found += [
            Comparison("state", path, _distance(after[path].cpu().numpy(), wanted), FORWARD_LIMIT)
            for path, wanted in self.meant[1].items()
        ]
        return [*found, *(self.along(what, name, grad) for (what, name), grad in gradients.items())]

    @cached_property
    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @cached_property
    def placed(self) -> Mapping[str, Placed]:
        """Every tensor that the module is given from outside: all but constants with a formula."""
        every = parameters(self.graph, self.sizes)
        return {placed.path: placed for placed in every if placed.parameter.formula is None}

    @cached_property
    def inputs(self) -> Mapping[str, Array]:
        return inputs(self.graph, self.sizes, self.seed) | dict(self.given)

    @cached_property
    def parameters(self) -> Mapping[str, Array]:
        """The initial values moved a little, so that no zero or one hides a mistake, and states up, since they may be
        such that are never negative; trained ones as they are."""
        state = self.module.state_dict()
        values = {path: state[path].detach().cpu().numpy().copy() for path in self.placed}
        for path, placed in self.placed.items():
            lowest = {"param": -_SPREAD, "state": 0.0}.get(placed.parameter.role)
            if lowest is not None and values[path].dtype.kind == "f" and not self.is_trained:
                values[path] += self.generator.uniform(lowest, _SPREAD, values[path].shape)
        return values

    @cached_property
    def held(self) -> Held:
        """The values at which gradients stop, as they are before anything is moved."""
        return Held()

    @cached_property
    def known(self) -> Known:
        """What does not depend on what is moved."""
        return Known()

    @cached_property
    def meant(self) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """The outputs of the reference, and what it leaves in every state."""
        updates: dict[str, Array] = {}
        outputs = self.evaluated(self.inputs, self.parameters, updates)
        kept = {path: self.parameters[path] for path, one in self.placed.items() if one.parameter.role == "state"}
        return outputs, kept | updates

    @cached_property
    def wanted(self) -> Mapping[str, Array]:
        """The outputs of the reference."""
        return self.meant[0]

    @cached_property
    def weights(self) -> Mapping[str, Array]:
        """The random numbers that each real output is multiplied with."""
        return {n: self.generator.standard_normal(a.shape) for n, a in self.wanted.items() if a.dtype.kind == "f"}

    def check_parameters(self) -> None:
        """The module's learned tensors are the graph's, name by name and shape by shape."""
        has = {name: tuple(p.shape) for name, p in self.module.named_parameters(remove_duplicate=False)}
        learned = {path: placed for path, placed in self.placed.items() if placed.parameter.role == "param"}
        asked = {path: tuple(s.evaluate(self.sizes) for s in placed.shape) for path, placed in learned.items()}
        if has != asked:
            wrong = sorted(name for name in has.keys() | asked.keys() if has.get(name) != asked.get(name))
            shown = ", ".join(f"{name} {has.get(name, 'missing')} for {asked.get(name, 'none')}" for name in wrong)
            raise Disagreement(f"parameters of the module against those of the graph: {shown}")
        if missing := sorted(self.placed.keys() - self.module.state_dict().keys()):
            raise Disagreement(f"the module has no {', '.join(missing)}")

    def differentiated(self) -> tuple[Mapping[str, Array], Mapping[tuple[What, str], Array]]:
        """The module's outputs, and its gradients by what they are of."""
        tensors = {path: torch.from_numpy(array) for path, array in self.parameters.items()}
        self.module.load_state_dict(tensors, strict=False)
        arguments = {name: torch.from_numpy(array).to(self.device) for name, array in self.inputs.items()}
        leaves: dict[tuple[What, str], torch.Tensor] = {}
        leaves.update((("parameter", n), p) for n, p in self.module.named_parameters(remove_duplicate=False))
        leaves.update((("input", n), t.requires_grad_()) for n, t in arguments.items() if t.is_floating_point())
        self.module.train(self.training)
        with failing_as_disagreement():
            produced = outputs_by_name(self.graph, self.module(*arguments.values()))
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for name, weight in self.weights.items():
            if tuple(produced[name].shape) != weight.shape:
                raise Disagreement(f"output {name} has shape {tuple(produced[name].shape)}, not {weight.shape}")
            counted = produced[name].masked_fill(~torch.from_numpy(self.finite[name]).to(self.device), 0)
            total = total + (counted * torch.from_numpy(weight).to(self.device)).sum()
        gradients: tuple[torch.Tensor | None, ...] = (None,) * len(leaves)
        if total.requires_grad and leaves:
            with failing_as_disagreement():
                gradients = torch.autograd.grad(total, tuple(leaves.values()), allow_unused=True)
        by_leaf = {
            key: np.zeros(tuple(leaf.shape)) if gradient is None else gradient.cpu().numpy()
            for (key, leaf), gradient in zip(leaves.items(), gradients, strict=True)
        }
        return {name: tensor.detach().cpu().numpy() for name, tensor in produced.items()}, by_leaf

    def along(self, what: What, name: str, gradient: Array) -> Comparison:
        """The gradient along a random direction, which sees every wrong entry unless by chance it is orthogonal to the
        error, against the central difference; a direction that crosses a kink, where two
        step sizes or the two sides disagree, is drawn again with a smaller step."""
        if not gradient.size:
            return Comparison(what, name, 0.0, GRADIENT_LIMIT)
        error = np.inf
        for step in _STEPS:
            direction = self.direction(what, name, gradient.shape)
            slope = float((gradient * direction).sum())
            difference = self.central(what, name, direction, step)
            noise = _NOISE * self.magnitude / step / GRADIENT_LIMIT
            scale = max(abs(slope), abs(difference), float(np.linalg.norm(gradient)), noise)
            error = abs(slope - difference) / scale if scale else 0.0
            if error <= GRADIENT_LIMIT or np.isnan(error):
                return Comparison(what, name, error, GRADIENT_LIMIT)
            halved = self.central(what, name, direction, step / 2)
            ahead = (self.moved(what, name, direction, step) - self.total) / step
            behind = (self.total - self.moved(what, name, direction, -step)) / step
            smooth = (
                abs(halved - difference) <= GRADIENT_LIMIT / 2 * scale and abs(ahead - behind) <= _CURVATURE * scale
            )
            if smooth:
                return Comparison(what, name, error, GRADIENT_LIMIT)
        return Comparison(what, name, error, GRADIENT_LIMIT, kink=True)

    def direction(self, what: What, name: str, shape: tuple[int, ...]) -> Array:
        """A random direction; of a distribution, one that keeps its sum."""
        found = self.generator.standard_normal(shape)
        kind = self.type(name).kind if what == "input" else None
        if kind is not None and kind.word == "simplex":
            along = self.type(name).names.index(str(kind.axis))
            found = (found - found.mean(axis=along, keepdims=True)) * self.inputs[name]
            found = found - self.inputs[name] * found.sum(axis=along, keepdims=True)
        return found

    def type(self, port: str) -> TensorType:
        return next(value.type for value in self.graph.net.region.inputs if value.name == port)

    def central(self, what: What, name: str, direction: Array, step: float) -> float:
        return (self.moved(what, name, direction, step) - self.moved(what, name, direction, -step)) / (2 * step)

    def moved(self, what: What, name: str, direction: Array, step: float) -> float:
        """The weighted sum of the reference's outputs with one tensor moved."""
        given, stored = dict(self.inputs), dict(self.parameters)
        changed = given if what == "input" else stored
        changed[name] = changed[name] + step * direction
        return self.weighed(self.evaluated(given, stored))

    def evaluated(
        self, given: Mapping[str, Array], stored: Mapping[str, Array], updates: dict[str, Array] | None = None
    ) -> Mapping[str, Array]:
        """The outputs of the reference, which holds what stops gradients as it was in the first evaluation."""
        run, mode = reference(self.graph), self.training
        return run(given, stored, self.sizes, held=self.held, known=self.known, training=mode, updates=updates)

    @cached_property
    def finite(self) -> Mapping[str, Array]:
        """Where each real output is a number, and so has a gradient."""
        return {name: np.asarray(np.isfinite(self.wanted[name])) for name in self.weights}

    def weighed(self, outputs: Mapping[str, Array]) -> float:
        return float(
            sum((outputs[name] * weight).sum(where=self.finite[name]) for name, weight in self.weights.items())
        )

    @cached_property
    def total(self) -> float:
        return self.weighed(self.wanted)

    @cached_property
    def magnitude(self) -> float:
        """The sum of absolute values that rounding errors are relative to."""
        return float(
            sum(
                np.abs(self.wanted[name] * weight).sum(where=self.finite[name]) for name, weight in self.weights.items()
            )
        )


def outputs_by_name(graph: TypedGraph, result: object) -> dict[str, torch.Tensor]:
    """What a generated module returned, one tensor or a tuple, under the names of the net's outputs."""
    found = (result,) if isinstance(result, torch.Tensor) else result
    names = graph.net.output_names
    if not isinstance(found, tuple) or len(found) != len(names):
        raise Disagreement(f"the module returns {type(result).__name__} for {', '.join(names)}")
    return dict(zip(names, found, strict=True))


def _distance(found: Array, wanted: Array) -> float:
    """The largest difference relative to the largest entry. Infinite where shapes differ, an entry is not a number, or
    infinities are not the same: a maximum over nothing is minus infinity to both."""
    if found.shape != wanted.shape:
        return np.inf
    if wanted.size == 0:
        return 0.0
    if found.dtype.kind in "biu":
        return 0.0 if np.array_equal(found, wanted) else np.inf
    finite = np.isfinite(wanted)
    if not np.array_equal(found[~finite], wanted[~finite]):
        return np.inf
    found, wanted = found[finite], wanted[finite]
    if not np.isfinite(found).all():
        return np.inf
    largest = float(np.abs(wanted).max(initial=0.0))
    distance = float(np.abs(found - wanted).max(initial=0.0))
    return distance / largest if largest else distance
