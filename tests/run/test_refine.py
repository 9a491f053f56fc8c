"""A refined net computes what the net before it does."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import nn

import archc
from archc.base.assets import specs_root
from archc.run.load import instantiate, load_module
from archc.run.request import RunError

ROOT = specs_root()


def pair(spec: str, before: Mapping[str, int], after: Mapping[str, int]) -> tuple[nn.Module, nn.Module]:
    """A net with random parameters, and what it is refined to."""
    old, new = archc.graph(spec, **before), archc.graph(spec, **after)
    net = instantiate(load_module(archc.build(spec, **before)), {}, dtype=torch.float64, seed=0)
    return net, archc.refine(net, old, new)


def apart(net: nn.Module, finer: nn.Module, x: torch.Tensor) -> float:
    return (net(x) - finer(x)).abs().max().item()


LAYER = "net N(n = 3) (x: real[batch, d: 2]) -> (y: real[batch, d: 3]) {{ return x |> layer(d -> d: 3, edge = {}) }}"


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(("coarse", "fine"), [(3, 6), (3, 9), (6, 12), (5, 20), (1, 8)])
def test_splines_on_a_grid_within_the_grid_are_kept_exactly(order: int, coarse: int, fine: int) -> None:
    spec = LAYER.format(f"silu >> weight + spline(grid = n, order = {order}, low = -0.5, high = 2)")
    net, finer = pair(spec, {"n": coarse}, {"n": fine})
    assert finer.get_parameter("y_coefficients").shape == (3, 2, fine + order)
    x = torch.rand(500, 2, dtype=torch.float64) * 2.5 - 0.5
    assert apart(net, finer, x) < 1e-12
    assert torch.equal(net.get_parameter("y_weight"), finer.get_parameter("y_weight"))


@pytest.mark.parametrize(
    ("edge", "before", "after"),
    [
        ("chebyshev(degree = n)", 3, 9),
        ("jacobi(degree = n, alpha = 0.5)", 2, 7),
        ("hermite(degree = n)", 3, 5),
        ("fourier_series(frequencies = n)", 2, 9),
        ("truncated_power(grid = n, order = 2)", 2, 6),
        ("wavelet_series(levels = n)", 2, 3),
        ("select(first = silu >> weight + spline(grid = n), second = chebyshev(degree = n))", 3, 6),
        ("tied(spline(grid = n), groups = 2) >> weight", 2, 8),
    ],
)
def test_every_basis_that_contains_another_keeps_its_functions(edge: str, before: int, after: int) -> None:
    net, finer = pair(LAYER.format(edge), {"n": before}, {"n": after})
    assert sum(p.numel() for p in finer.parameters()) > sum(p.numel() for p in net.parameters())
    x = torch.rand(500, 2, dtype=torch.float64) * 2 - 1
    assert apart(net, finer, x) < 1e-11


def test_a_grid_that_does_not_contain_the_other_fits_it() -> None:
    """3 intervals in 10: the third derivative jumps where the finer splines have no knot."""
    net, finer = pair(LAYER.format("spline(grid = n)"), {"n": 3}, {"n": 10})
    x = torch.rand(500, 2, dtype=torch.float64) * 2 - 1
    assert 1e-6 < apart(net, finer, x) < 1e-2
    net, finer = pair(LAYER.format("spline(grid = n)"), {"n": 3}, {"n": 100})
    assert apart(net, finer, x) < 1e-4


def test_a_whole_net_is_kept_through_all_of_its_layers() -> None:
    spec = (ROOT / "kan/kan.arch").read_text(encoding="utf-8").replace("spline(", "tanh >> spline(")
    net, finer = pair(spec, {"grid": 3}, {"grid": 6})
    assert apart(net, finer, 3 * torch.randn(500, 2, dtype=torch.float64)) < 1e-12


BLOCKS = """
block residual(grid: int) (x: real[d]) -> (y: real[d]) {
    param c: real[k: grid + 3]
    let moved = x |> layer(d -> d, edge = tanh >> spline(grid = grid), init = normal)
    return x + moved + sum k: c * rbf_basis(x, axis = k, count = grid + 3)
}
net N(n = 3) (x: real[batch, d: 4]) -> (y: real[batch, d: 4]) {
    let h = repeat 2 with h = x { return residual(tanh(h), grid = n) }
    return residual(h, grid = 2 * n)
}
"""


def test_bases_are_found_in_blocks_and_loops() -> None:
    spec = BLOCKS.replace(" + sum k: c * rbf_basis(x, axis = k, count = grid + 3)", "").replace(
        "    param c: real[k: grid + 3]\n", ""
    )
    net, finer = pair(spec, {"n": 3}, {"n": 6})
    assert apart(net, finer, torch.randn(500, 4, dtype=torch.float64)) < 1e-12


def test_a_basis_of_another_shape_is_fitted_by_least_squares() -> None:
    """Bumps on eight centres do not contain those on six, but come near."""
    net, finer = pair(BLOCKS, {"n": 3}, {"n": 5})
    x = torch.randn(500, 4, dtype=torch.float64)
    change = apart(net, finer, x) / net(x).abs().max().item()
    assert 1e-9 < change < 0.1


def test_nets_that_differ_in_more_than_bases_are_refused() -> None:
    path = ROOT / "kan/kan.arch"
    net = archc.load(path, hidden=4)
    with pytest.raises(RunError, match="layer_weight has the shapes"):
        archc.refine(net, archc.graph(path, hidden=4), archc.graph(path, hidden=5))
    with pytest.raises(RunError, match="one net has"):
        archc.refine(net, archc.graph(path, hidden=4), archc.graph(ROOT / "kan/trukan.arch"))


def test_the_refined_net_keeps_its_precision() -> None:
    path = ROOT / "kan/kan.arch"
    finer = archc.refine(archc.load(path, grid=3), archc.graph(path, grid=3), archc.graph(path, grid=6))
    assert {tensor.dtype for tensor in finer.parameters()} == {torch.float32}
