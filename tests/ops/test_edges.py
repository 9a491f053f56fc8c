"""The edge families against their formulas written out in NumPy, with the parameters of the module."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev, hermite
from numpy.typing import NDArray
from scipy import special
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import archc
from archc.run.load import instantiate, load_module
from tests.ops.test_bases import cox_de_boor
from tests.ops.test_std import agrees, close, drawn, loaded

Array = NDArray[np.float64]
State = dict[str, Array]
BATCH, INPUTS, OUTPUTS = 101, 6, 20


def layer(edge: str, options: str = "bias = none") -> str:
    return f"""net N(x: real[batch, d: {INPUTS}]) -> (y: real[batch, d: {OUTPUTS}]) {{
        return x |> layer(d -> d: {OUTPUTS}, edge = {edge}, {options})
    }}"""


def moved(spec: str) -> tuple[nn.Module, State]:
    """The module with parameters that hide nothing, and these by the end of their names."""
    module = loaded(spec)
    with torch.no_grad():
        for seed, parameter in enumerate(module.parameters()):
            parameter += 0.3 * drawn(*parameter.shape, seed=seed)
    return module, {
        name.removeprefix("y_"): parameter.detach().numpy() for name, parameter in module.named_parameters()
    }


def series(basis: Callable[[Array], Array]) -> Callable[[Array, State], Array]:
    """sum_j sum_m c[i, j, m] basis_m(x_j)."""
    return lambda x, state: np.einsum("oim,bim->bo", state["coefficients"], basis(x))


def each(z: Array, shape: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda x: shape(x[..., None] - z)


def silu(x: Array) -> Array:
    return x / (1 + np.exp(-x))


def hat(z: Array) -> Array:
    return (1 - z**2) * np.exp(-(z**2) / 2)


def splines(x: Array) -> Array:
    basis = cox_de_boor(x.reshape(-1), -1 + 0.4 * np.arange(-3, 9), 3)
    return basis.reshape(*x.shape, -1)


def jacobi(x: Array) -> Array:
    return np.stack([special.eval_jacobi(m, 0.5, -0.25, np.tanh(x)) for m in range(6)], -1)


def fourier(x: Array) -> Array:
    angles = np.arange(1, 4) * x[..., None]
    return np.concatenate([np.cos(angles), np.sin(angles)], -1)


def bumps(x: Array) -> Array:
    low = (np.arange(8) - 3) / 5
    high = low + 4 / 5
    return (6.25 * np.maximum(high - x[..., None], 0) * np.maximum(x[..., None] - low, 0)) ** 2


def truncated(x: Array) -> Array:
    knots = -1 + 0.5 * np.arange(1, 4)
    return np.concatenate([x[..., None] ** np.arange(3), np.maximum(x[..., None] - knots, 0) ** 2], -1)


def wavelets(x: Array) -> Array:
    return np.stack([hat((x + 1) * s - k - 0.5) for s in (1, 2) for k in range(2 * s)], -1)


def wavelet(x: Array, state: State) -> Array:
    z = (x[:, None] - state["shift"]) / state["scale"]
    return (state["weight"] * np.cos(5 * z) * np.exp(-(z**2) / 2)).sum(-1)


def kinks(x: Array, state: State) -> Array:
    return np.where(x[:, None] >= 0, x[:, None], state["slope"] * x[:, None]).sum(-1)


def select(x: Array, state: State) -> Array:
    gate = 1 / (1 + np.exp(-state["gate"]))
    base = silu(x)[:, None] * state["weight"] + np.einsum("oim,bim->boi", state["coefficients"], splines(x))
    other = np.einsum("oim,bim->boi", state["coefficients_2"], chebyshev.chebvander(np.tanh(x), 4))
    return (gate * base + (1 - gate) * other).sum(-1)


EDGES: dict[str, tuple[str, Callable[[Array, State], Array]]] = {
    "jacobi": ("jacobi(degree = 5, alpha = 0.5, beta = -0.25)", series(jacobi)),
    "hermite": ("hermite(degree = 5)", series(lambda x: hermite.hermvander(np.tanh(x), 5))),
    "chebyshev": ("chebyshev(degree = 5)", series(lambda x: chebyshev.chebvander(np.tanh(x), 5))),
    "without a constant": (
        "chebyshev(degree = 5, first = 1)",
        series(lambda x: chebyshev.chebvander(np.tanh(x), 5)[..., 1:]),
    ),
    "fourier_series": ("fourier_series(frequencies = 3)", series(fourier)),
    "rbf": ("rbf(count = 8)", series(each(np.linspace(-2, 2, 8), lambda r: np.exp(-((r / (4 / 7)) ** 2))))),
    "sech": ("rbf(count = 5, bump = sech)", series(each(np.linspace(-2, 2, 5), lambda r: 1 / np.cosh(r)))),
    "relu_power": ("relu_power()", series(bumps)),
    "truncated_power": ("truncated_power(grid = 4, order = 2)", series(truncated)),
    "wavelet_series": ("wavelet_series(levels = 2)", series(wavelets)),
    "spline": ("spline()", series(splines)),
    "wavelet": ("wavelet(mother = morlet)", wavelet),
    "prelu": ("prelu", kinks),
    "select": ("select(first = silu >> weight + spline(), second = chebyshev())", select),
}
NONLINEAR = ("wavelet",)


@pytest.mark.parametrize("family", EDGES)
def test_edge_is_its_formula(family: str) -> None:
    edge, wanted = EDGES[family]
    module, state = moved(layer(edge))
    x = drawn(BATCH, INPUTS)
    close(module(x), torch.from_numpy(wanted(x.numpy(), state)))


@pytest.mark.parametrize("family", EDGES)
def test_edge_agrees_with_the_reference(family: str) -> None:
    agrees(layer(EDGES[family][0]))


class Largest(TorchDispatchMode):
    """How many entries the largest tensor has that grows with the batch, for each of its samples."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        if isinstance(found, Tensor) and found.numel() % BATCH == 0:
            self.entries = max(self.entries, found.numel() // BATCH)
        return found


def entries(module: nn.Module) -> int:
    with Largest() as largest:
        module(drawn(BATCH, INPUTS).requires_grad_()).sum().backward()
    return largest.entries


@pytest.mark.parametrize("family", EDGES)
def test_edge_is_one_product_of_matrices_and_no_tensor_over_edges(family: str) -> None:
    text = archc.build(layer(EDGES[family][0]))
    wide = entries(loaded(layer(EDGES[family][0]))) >= INPUTS * OUTPUTS
    assert wide == (family in NONLINEAR)
    assert text.count("F.linear(") == {"select": 3}.get(family, family not in NONLINEAR)


def quotient(x: Array, a: Array, b: Array, form: str) -> Array:
    n = np.arange(1, b.shape[-1] + 1)
    below = {
        "sum_abs": 1 + (np.abs(b) * np.abs(x)[..., None] ** n).sum(-1),
        "abs_sum": 1 + np.abs((b * x[..., None] ** n).sum(-1)),
        "fallback": 1 + (np.abs(b) * x[..., None] ** n).sum(-1),
    }
    return (a * x[..., None] ** np.arange(a.shape[-1])).sum(-1) / below[form]


@pytest.mark.parametrize("form", ["sum_abs", "abs_sum"])
def test_the_three_denominators_are_told_apart(form: str) -> None:
    """The third is that of KAT's fallback without a kernel, 1 + sum_n |b_n| x^n, which has poles: none of ours."""
    module, state = moved(layer(f"rational(denominator = {form}) >> weight"))
    x = drawn(BATCH, INPUTS)
    for other in ("sum_abs", "abs_sum", "fallback"):
        values = quotient(x.numpy()[:, None], state["a"], state["b"], other)
        wanted = torch.from_numpy((state["weight"] * values).sum(-1))
        if other == form:
            close(module(x), wanted)
        else:
            assert (module(x) - wanted).abs().max() > 0.1
    agrees(layer(f"rational(denominator = {form}) >> weight"))


@pytest.mark.parametrize("form", ["sum_abs", "abs_sum"])
def test_rational_starts_as_it_says(form: str) -> None:
    spec = f"""net N(x: real[n]) -> (y: real[n], z: real[n]) {{
        return x |> rational(denominator = {form}), x |> rational(denominator = {form}, start = identity)
    }}"""
    x = torch.linspace(-3, 3, 301, dtype=torch.float64)
    swish, identity = loaded(spec)(x)
    assert (swish - nn.functional.silu(x)).abs().max() < 6e-7
    assert torch.equal(identity, x)


def test_tied_rationals_are_one_for_each_group_of_inputs() -> None:
    """GR-KAN: rational j belongs to group j // (inputs / groups), its value is taken once for all outputs."""
    spec = layer("tied(rational(), groups = 3) >> weight")
    module, state = moved(spec)
    assert state["a"].shape == (3, 6)
    assert state["b"].shape == (3, 4)
    x, group = drawn(BATCH, INPUTS), np.arange(INPUTS) // 2
    wanted = quotient(x.numpy(), state["a"][group], state["b"][group], "sum_abs") @ state["weight"].T
    close(module(x), torch.from_numpy(wanted))
    assert entries(module) < INPUTS * OUTPUTS
    agrees(spec)


def test_tied_splines_are_one_for_each_group_of_inputs() -> None:
    module, state = moved(layer("tied(spline(), groups = 2) >> weight"))
    x = drawn(BATCH, INPUTS)
    values = np.einsum("im,bim->bi", state["coefficients"][np.arange(INPUTS) // 3], splines(x.numpy()))
    close(module(x), torch.from_numpy(values @ state["weight"].T))


def test_groups_of_splines_are_layers_beside_each_other() -> None:
    module, state = moved(layer("spline()", "bias = none, wiring = groups(2)"))
    assert state["coefficients"].shape == (2, OUTPUTS // 2, INPUTS // 2, 8)
    x = drawn(BATCH, INPUTS)
    basis = splines(x.numpy())
    halves = [
        np.einsum("oim,bim->bo", c, b) for c, b in zip(state["coefficients"], np.split(basis, 2, axis=1), strict=True)
    ]
    close(module(x), torch.from_numpy(np.concatenate(halves, 1)))


BY_ANGLE = """
block by_angle(degree = 5) (x: real[]) -> (y: real[]) {
    param c: real[m: degree + 1] = normal(0.1)
    return sum m: c * (cos(m * acos(tanh(x))) + asin(tanh(x)))
}
"""


@pytest.mark.parametrize(
    "edge", [edge for edge, _ in EDGES.values()] + ["tied(rational(), groups = 2) >> weight", "by_angle"]
)
def test_slopes_of_an_edge_are_finite_far_out(edge: str) -> None:
    """A cosine of arc cosines as it stands has none at |x| = 40, where tanh is 1 in single precision."""
    module = instantiate(load_module(archc.build(BY_ANGLE + layer(edge)), "N"), {}, seed=0)
    far = torch.tensor([-1e5, -1e3, -40.0, -9.0, 9.0, 40.0, 1e3, 1e5])
    x = far.repeat_interleave(INPUTS).reshape(8, INPUTS).requires_grad_()
    y = module(x)
    y.sum().backward()
    assert x.grad is not None
    assert y.isfinite().all()
    assert x.grad.isfinite().all()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in module.parameters())


def test_splines_are_zero_outside_their_knots() -> None:
    module, _ = moved(layer("spline(grid = 5, order = 3)"))
    assert not module(torch.full((2, INPUTS), 2.2 + 1e-9, dtype=torch.float64)).any()
    assert module(torch.full((2, INPUTS), 1.5, dtype=torch.float64)).abs().min() > 0


def test_the_first_chebyshev_coefficients_are_a_bias() -> None:
    """T_0 = 1: a layer without it, whose bias is sum_j c_ij0, computes the same."""
    module, state = moved(layer("chebyshev(degree = 3)"))
    without = loaded(layer("chebyshev(degree = 3, first = 1)", "bias = unit"))
    coefficients = torch.from_numpy(state["coefficients"])
    with torch.no_grad():
        without.get_parameter("y_coefficients").copy_(coefficients[..., 1:])
        without.get_parameter("y_bias").copy_(coefficients[..., 0].sum(-1))
    x = drawn(BATCH, INPUTS)
    close(without(x), module(x))
