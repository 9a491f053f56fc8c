"""The bases of edges against their textbook recursions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from archc.driver import build, graph
from archc.readings.values import reference
from archc.run.load import instantiate, load_module

Array = NDArray[Any]


def evaluated(spec: str, x: Array) -> tuple[Array, Array, Array]:
    """The value by the reference, by the generated module, and the module's gradient of its sum."""
    wanted = reference(graph(spec))({"x": x}, {})["y"]
    module = instantiate(load_module(build(spec), "Basis"), {}, dtype=torch.float64)
    leaf = torch.tensor(x, requires_grad=True)
    found = module(leaf)
    found.sum().backward()
    assert leaf.grad is not None
    return wanted, found.detach().numpy(), leaf.grad.numpy()


def cox_de_boor(x: Array, knots: Array, order: int) -> Array:
    """The recursion of de Boor on half-open intervals, one column per spline."""
    x = x[:, None]
    basis = ((x >= knots[:-1]) & (x < knots[1:])).astype(np.float64)
    for k in range(1, order + 1):
        left = (x - knots[: -k - 1]) / (knots[k:-1] - knots[: -k - 1])
        right = (knots[k + 1 :] - x) / (knots[k + 1 :] - knots[1:-k])
        basis = left * basis[:, :-1] + right * basis[:, 1:]
    return basis


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("grid", "low", "high"), [(5, -1.0, 1.0), (1, -1.0, 1.0), (8, -2.0, 3.0)])
def test_bspline_basis_is_cox_de_boor_inside_and_outside(order: int, grid: int, low: float, high: float) -> None:
    step = (high - low) / grid
    knots = low + step * np.arange(-order, grid + order + 1)
    reach = (order + 2) * step
    x = np.concatenate([np.linspace(low - reach, high + reach, 401), knots])
    spec = f"""net Basis(x: real[n]) -> (y: real[n, m: {grid + order}]) {{
        return bspline_basis(x, axis = m, grid = {grid}, order = {order}, low = {low}, high = {high})
    }}"""
    wanted, found, _ = evaluated(spec, x)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)
    np.testing.assert_allclose(wanted, cox_de_boor(x, knots, order), rtol=0, atol=1e-13)
    splines = [BSpline.basis_element(knots[m : m + order + 2], extrapolate=False) for m in range(grid + order)]
    by_scipy = np.stack([np.nan_to_num(spline(x)) for spline in splines], axis=1)
    np.testing.assert_allclose(wanted, by_scipy, rtol=0, atol=1e-13)
    inside = (x >= low) & (x <= high)
    np.testing.assert_allclose(wanted[inside].sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(wanted[(x < knots[0]) | (x > knots[-1])], 0.0)
    assert (wanted >= 0).all()


def test_the_splines_of_a_cubic_grid_lose_weight_outside() -> None:
    spec = "net Basis(x: real[n]) -> (y: real[n, m: 8]) { return bspline_basis(x, axis = m) }"
    wanted, _, gradient = evaluated(spec, np.array([1.5, 2.2, 40.0, -40.0]))
    assert wanted[0].sum() == pytest.approx(0.68, abs=0.005)
    np.testing.assert_allclose(wanted[1:], 0.0, rtol=0, atol=1e-15)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("degree", [1, 2, 7])
def test_chebyshev_basis_is_chebyshevs(degree: int) -> None:
    x = np.concatenate([np.linspace(-2.0, 2.0, 81), [-1.0, 1.0]])
    spec = f"""net Basis(x: real[n]) -> (y: real[n, m: {degree + 1}]) {{
        return chebyshev_basis(x, axis = m, degree = {degree})
    }}"""
    wanted, found, _ = evaluated(spec, x)
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(wanted, chebyshev.chebvander(x, degree), rtol=1e-12, atol=1e-12)


def test_chebyshev_slopes_are_finite_where_tanh_is_one() -> None:
    spec = "net Basis(x: real[n]) -> (y: real[n]) { return sum m: chebyshev_basis(tanh(x), axis = m, degree = 7) }"
    _, _, gradient = evaluated(spec, np.array([-40.0, -1.0, 0.0, 1.0, 40.0]))
    assert np.isfinite(gradient).all()
