"""The bases beside splines and Chebyshev's against NumPy's and SciPy's own, and the traps of each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.polynomial import hermite
from numpy.polynomial import polynomial as powers
from numpy.typing import NDArray
from scipy import special

from archc.driver import build
from archc.ops.operation import Operation
from archc.ops.registries import OPERATIONS
from archc.run.load import instantiate, load_module
from tests.ops.test_bases import evaluated

Array = NDArray[np.float64]
BASES = [entry for entry in OPERATIONS if entry.word.endswith("_basis")]
EXTREME = [-1e8, -1e4, -40.0, -1.0, 0.0, 1.0, 40.0, 1e4, 1e8]


def basis(call: str, size: int, x: Array) -> Array:
    """The values of a basis, those of the module held to those of the reference."""
    wanted, found, gradient = evaluated(f"net Basis(x: real[n]) -> (y: real[n, m: {size}]) {{ return {call} }}", x)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
    assert np.isfinite(gradient).all()
    return wanted


@pytest.mark.parametrize("degree", [1, 2, 9])
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (-0.5, -0.5), (1.0, 1.0), (0.75, -0.3), (0.0, 3.0)])
def test_jacobi_basis_is_scipys(degree: int, alpha: float, beta: float) -> None:
    x = np.linspace(-1.5, 1.5, 61)
    found = basis(f"jacobi_basis(x, degree = {degree}, alpha = {alpha}, beta = {beta})", degree + 1, x)
    wanted = np.stack([special.eval_jacobi(m, alpha, beta, x) for m in range(degree + 1)], -1)
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)


def test_jacobi_basis_has_legendre_and_gegenbauer_as_special_cases() -> None:
    x, degree, order = np.linspace(-1, 1, 41), 6, 1.25
    legendre = basis(f"jacobi_basis(x, degree = {degree})", degree + 1, x)
    np.testing.assert_allclose(legendre, np.polynomial.legendre.legvander(x, degree), rtol=1e-12, atol=1e-12)
    found = basis(f"jacobi_basis(x, degree = {degree}, alpha = 0.75, beta = 0.75)", degree + 1, x)
    m = np.arange(degree + 1)
    factor = special.poch(2 * order, m) / special.poch(order + 0.5, m)
    wanted = np.stack([special.eval_gegenbauer(n, order, x) for n in m], -1)
    np.testing.assert_allclose(factor * found, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("degree", [1, 2, 8])
def test_hermite_basis_is_numpys(degree: int) -> None:
    x = np.linspace(-3, 3, 61)
    found = basis(f"hermite_basis(x, degree = {degree})", degree + 1, x)
    np.testing.assert_allclose(found, hermite.hermvander(x, degree), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("frequencies", [1, 2, 3, 5, 8, 100])
def test_fourier_basis_is_cosines_then_sines(frequencies: int) -> None:
    x = np.concatenate([np.linspace(-7, 7, 50), [40.0, 1000.0]])
    angles = np.arange(1, frequencies + 1) * x[:, None]
    spec = f"""net Basis(x: real[n]) -> (y: real[n, m: {2 * frequencies}]) {{
        return fourier_basis(x, frequencies = {frequencies})
    }}"""
    wanted, found, gradient = evaluated(spec, x)
    np.testing.assert_allclose(wanted, np.concatenate([np.cos(angles), np.sin(angles)], -1), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 * frequencies)
    slopes = np.arange(1, frequencies + 1) * (np.cos(angles) - np.sin(angles))
    np.testing.assert_allclose(gradient, slopes.sum(-1), rtol=0, atol=1e-11 * frequencies**2)


def test_fourier_basis_takes_one_cosine_and_one_sine() -> None:
    text = build("net N(x: real[n]) -> (y: real[n, m: 40]) { return fourier_basis(x, frequencies = 20) }")
    assert text.count("torch.cos") == text.count("torch.sin") == 1
    assert text.count("torch.cat") == 2 * 5 + 1


@pytest.mark.parametrize(
    ("bump", "shape"), [("gaussian", lambda z: np.exp(-(z**2))), ("sech", lambda z: 1 / np.cosh(z))]
)
def test_rbf_basis_stands_on_its_grid(bump: str, shape: object) -> None:
    x, centres = np.linspace(-4, 4, 41), np.linspace(-2, 2, 8)
    assert callable(shape)
    found = basis(f"rbf_basis(x, bump = {bump})", 8, x)
    np.testing.assert_allclose(found, shape((x[:, None] - centres) / (4 / 7)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("grid", "order"), [(5, 3), (3, 1), (8, 4)])
def test_relu_power_basis_is_relu_kans(grid: int, order: int) -> None:
    """With phases s_m = (m - k) / g and r = 4 g^2 / (k + 1)^2, on [0, 1]; 1 in the middle, 0 outside its phases."""
    x = np.linspace(-2, 3, 201)
    start = (np.arange(grid + order) - order) / grid
    end = start + (order + 1) / grid
    r = 4 * grid**2 / (order + 1) ** 2
    wanted = (r * np.maximum(end - x[:, None], 0) * np.maximum(x[:, None] - start, 0)) ** 2
    found = basis(f"relu_power_basis(x, grid = {grid}, order = {order})", grid + order, x)
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12)
    middle = basis(f"relu_power_basis(x, grid = {grid}, order = {order})", grid + order, (start + end) / 2)
    np.testing.assert_allclose(np.diag(middle), 1.0, rtol=1e-12)


@pytest.mark.parametrize(("grid", "order", "low", "high"), [(5, 3, -1.0, 1.0), (1, 2, 0.0, 1.0), (7, 1, -2.0, 0.5)])
def test_truncated_powers_span_the_splines(grid: int, order: int, low: float, high: float) -> None:
    x, size = np.linspace(low, high, 97), grid + order
    given = f"grid = {grid}, order = {order}, low = {low}, high = {high}"
    found = basis(f"truncated_power_basis(x, {given})", size, x)
    knots = low + (high - low) / grid * np.arange(1, grid)
    wanted = np.concatenate([x[:, None] ** np.arange(order + 1), np.maximum(x[:, None] - knots, 0) ** order], -1)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    splines = basis(f"bspline_basis(x, {given})", size, x)
    fitted = found @ np.linalg.lstsq(found, splines)[0]
    np.testing.assert_allclose(fitted, splines, rtol=0, atol=1e-10)


MOTHERS = {
    "mexican_hat": lambda z: (1 - z**2) * np.exp(-(z**2) / 2),
    "morlet": lambda z: np.cos(5 * z) * np.exp(-(z**2) / 2),
    "dog": lambda z: -z * np.exp(-(z**2) / 2),
}


@pytest.mark.parametrize("mother", MOTHERS)
@pytest.mark.parametrize(("grid", "levels"), [(2, 3), (3, 1), (1, 4)])
def test_wavelet_basis_halves_its_cells_at_every_level(mother: str, grid: int, levels: int) -> None:
    x, low, high = np.linspace(-3, 3, 61), -1.5, 2.0
    columns = []
    for level in range(levels):
        cells = grid * 2**level
        length = (high - low) / cells
        columns += [MOTHERS[mother]((x - low) / length - k - 0.5) for k in range(cells)]
    given = f"mother = {mother}, grid = {grid}, levels = {levels}, low = {low}, high = {high}"
    found = basis(f"wavelet_basis(x, {given})", len(columns), x)
    np.testing.assert_allclose(found, np.stack(columns, -1), rtol=1e-11, atol=1e-12)


def test_polynomial_takes_no_power() -> None:
    x, a = np.linspace(-2, 2, 21), np.array([0.5, -1.0, 0.0, 2.0, 0.25])
    spec = "net N(x: real[n], a: real[p: 5]) -> (y: real[n]) { return polynomial(x, a, over = p) }"
    text = build(spec)
    assert "pow" not in text
    found = instantiate(load_module(text, "N"), {}, dtype=torch.float64)(torch.tensor(x), torch.tensor(a))
    np.testing.assert_allclose(found.numpy(), powers.polyval(x, a), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("entry", BASES, ids=lambda entry: entry.word)
def test_slopes_of_a_basis_are_finite_far_out(entry: type[Operation]) -> None:
    """In the single precision that nets run in; a polynomial grows too fast for that, so its edge squashes x first."""
    grows = any(word in entry.word for word in ("chebyshev", "jacobi", "hermite"))
    call = next(sample for sample in entry.samples if sample.code is None)
    size = call.output.partition("m: ")[2].rstrip("]")
    spec = f"""net Basis(x: real[n]) -> (y: real[n, m: {size}]) {{
        return {entry.word}({"tanh(x)" if grows else "x"}, axis = m)
    }}"""
    module = instantiate(load_module(build(spec), "Basis"), {})
    x = torch.tensor(EXTREME, requires_grad=True)
    module(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
