"""The library's edges between fields against what their comments say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from archc.driver import build
from tests.ops.test_std import agrees, close, drawn, loaded

FIELDS = {
    "spectral": ("h: 5, w: 6", "spectral(over = (h, w), modes = 2)"),
    "spectral of one axis": ("h: 7", "spectral(over = h, modes = 3)"),
    "spectral of three axes": ("h: 4, w: 5, d: 6", "spectral(over = (h, w, d), modes = 2)"),
    "spectral plus weight": ("h: 5, w: 6", "spectral(over = (h, w), modes = 2) + weight"),
    "separable": ("h: 5, w: 6", "separable(over = (h, w))"),
    "kernel": ("h: 4, w: 3", "kernel(over = (h, w), width = 3)"),
    "kernel of one axis": ("h: 4, w: 3", "kernel(over = w, width = 3, neuron = tanh) + weight"),
    "lowrank": ("h: 4, w: 5", "lowrank(over = (h, w), rank = 3, width = 4, neuron = tanh)"),
    "wavelets": ("h: 4, w: 8", "wavelet_operator(over = (h, w), levels = 2, order = 2)"),
    "wavelets with convolutions": (
        "h: 3, w: 8",
        "wavelet_operator(over = w, mixing = conv(over = w, boundary = periodic)) + weight",
    ),
    "spectral of an activation": ("h: 5, w: 6", "tanh >> spectral(over = (w, h), modes = 2)"),
}


@pytest.mark.parametrize("case", FIELDS)
def test_edge_computes_its_formula(case: str) -> None:
    axes, edge = FIELDS[case]
    agrees(
        f"net N(x: real[batch, c: 3, {axes}]) -> (y: real[batch, c: 2, {axes}]) "
        f"{{ return x |> layer(c -> c: 2, edge = {edge}) }}"
    )


def spectral(modes: int) -> nn.Module:
    return loaded(
        f"""net N(u: real[x, y]) -> (v: real[x, y]) where x >= {2 * modes}, y >= {2 * modes} {{
            return u |> layer(() -> (), edge = spectral(over = (x, y), modes = {modes}), bias = none)
        }}"""
    )


def polynomial(shape: tuple[int, int], modes: int) -> Tensor:
    """A field without frequencies from `modes` on, on any grid."""
    x, y = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) * 2 * torch.pi / n for n in shape), indexing="ij")
    coefficients = iter(drawn(4 * modes**2).tolist())
    return sum(
        (
            next(coefficients) * torch.cos(p * x + q * y) + next(coefficients) * torch.sin(p * x + q * y)
            for p in range(1 - modes, modes)
            for q in range(modes)
        ),
        torch.zeros(shape, dtype=torch.float64),
    )


@pytest.mark.parametrize(("coarse", "fine"), [((64, 64), (128, 128)), ((9, 15), (27, 45)), ((11, 64), (33, 128))])
def test_the_identity_is_exact_between_the_coarse_points(coarse: tuple[int, int], fine: tuple[int, int]) -> None:
    net = spectral(4)
    with torch.no_grad():
        net.get_parameter("v_multiplier").zero_()[..., 0] = 1.0
    for shape in (coarse, fine):
        field = polynomial(shape, 4)
        close(net(field), field)


@pytest.mark.parametrize(("coarse", "factor"), [((64, 64), 2), ((9, 15), 3), ((8, 11), 5)])
def test_a_finer_grid_has_the_same_operator(coarse: tuple[int, int], factor: int) -> None:
    net = spectral(4)
    fine = (factor * coarse[0], factor * coarse[1])
    found = net(polynomial(fine, 4))
    close(found[::factor, ::factor], net(polynomial(coarse, 4)))
    # between the coarse points the result has the kept frequencies and no others
    assert torch.fft.rfft2(found)[5:-5].abs().max() < 1e-9


def layered(edge: str) -> nn.Module:
    """One layer from two units to three on a grid, and nothing but its edge."""
    return loaded(
        f"""net N(x: real[batch, c: 2, h: 4, w: 5]) -> (y: real[batch, c: 3, h: 4, w: 5]) {{
            return x |> layer(c -> c: 3, edge = {edge}, bias = none)
        }}"""
    )


def test_separable_is_a_matrix_on_each_side() -> None:
    net = loaded(
        """net N(x: real[batch, c: 2, h: 4, w: 5]) -> (y: real[batch, c: 2, h: 4, w: 5]) {
            return x |> layer(c -> c, edge = separable(over = (h, w)), wiring = one_to_one, bias = none)
        }"""
    )
    left, right = net.parameters()
    assert left.shape == (2, 4, 4)
    assert right.shape == (2, 5, 5)
    x = drawn(3, 2, 4, 5)
    close(net(x), left @ x @ right.mT)


def points(shape: tuple[int, int] = (4, 5)) -> Tensor:
    """The points of a grid as rows."""
    rows, columns = (torch.arange(n, dtype=torch.float64) / n for n in shape)
    return torch.cartesian_prod(rows, columns)


def test_kernel_is_the_mean_over_all_points() -> None:
    net, x = layered("kernel(over = (h, w), width = 6)"), drawn(3, 2, 4, 5)
    named = {name.removeprefix("kernel."): parameter for name, parameter in net.named_parameters()}
    at, source = points() @ named["at_weight"].mT + named["at_bias"], points() @ named["from_weight"].mT
    hidden = nn.functional.gelu(at.unsqueeze(1) + source)
    kernel = torch.einsum("pqk,ijk->ijpq", hidden, named["strength"])
    close(net(x), (torch.einsum("ijpq,bjq->bip", kernel, x.flatten(2)) / 20).unflatten(-1, (4, 5)))


def test_lowrank_is_a_kernel_of_its_rank() -> None:
    net, x = layered("lowrank(over = (h, w), rank = 3, width = 6, neuron = tanh)"), drawn(3, 2, 4, 5)
    named = {name.removeprefix("lowrank."): parameter for name, parameter in net.named_parameters()}

    def factor(first: str, second: str) -> Tensor:
        hidden = torch.tanh(points() @ named[f"{first}_weight"].mT + named[f"{first}_bias"])
        return torch.einsum("pk,irk->pir", hidden, named[f"{second}_weight"]) + named[f"{second}_bias"]

    kernel = torch.einsum("pir,qjr->ijpq", factor("layer_2", "phi"), factor("layer", "psi"))
    close(net(x), (torch.einsum("ijpq,bjq->bip", kernel, x.flatten(2)) / 20).unflatten(-1, (4, 5)))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("size", [2, 4, 10])
def test_wavelets_are_orthogonal_and_see_no_polynomial(order: int, size: int) -> None:
    net = loaded(
        f"""net N(x: real[h, w]) -> (bands: real[h: h // 2, w: w // 2, band: 4], back: real[h, w])
            where h % 2 == 0, w % 2 == 0 {{
            let bands = dwt(x, over = (h, w), axis = band, order = {order})
            return bands, idwt(bands, over = (h, w), axis = band, order = {order})
        }}"""
    )
    x = drawn(size, size + 2)
    bands, back = net(x)
    close(back, x)
    close(bands.square().sum(), x.square().sum())
    rising = torch.arange(12, dtype=torch.float64)[:, None] ** (order - 1) + torch.zeros(2, dtype=torch.float64)
    high, wrapped = net(rising)[0][..., 2:], (2 * order - 2) // 2
    assert high[: 6 - wrapped].abs().max() < 1e-8


def haar(x: Tensor) -> Tensor:
    """Haar's four bands by the corners of each square of four points."""
    a, b, c, d = (x[..., row::2, column::2] for row in (0, 1) for column in (0, 1))
    return torch.stack((a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d), -1) / 2


def unhaar(bands: Tensor) -> Tensor:
    """The points of each square from its four bands."""
    signs = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=bands.dtype)
    squares = (bands @ signs / 2).unflatten(-1, (2, 2))
    return squares.movedim(-2, -3).flatten(-4, -3).flatten(-2)


def test_wavelet_operator_is_the_nonstandard_form() -> None:
    net = loaded(
        """net N(x: real[batch, c: 2, h: 8, w: 4]) -> (y: real[batch, c: 3, h: 8, w: 4]) {
            return x |> layer(c -> c: 3, edge = wavelet_operator(over = (h, w), levels = 2), bias = none)
        }"""
    )
    fine, coarse = net.parameters()

    def joined(parts: Tensor, weight: Tensor) -> Tensor:
        return torch.einsum("iajb,njhwb->nihwa", weight, parts)

    x = drawn(2, 2, 8, 4)
    parts = haar(x)
    low = joined(haar(parts[..., 0]), coarse)
    wanted = joined(parts, fine)
    wanted[..., 0] += unhaar(low)
    close(net(x), unhaar(wanted))


def test_no_table_over_both_axes() -> None:
    """The transform goes over one axis at a time: no tensor has both axes and both frequencies, none is complex."""
    text = build(
        """net N(u: real[batch, c: 8, x, y]) -> (v: real[batch, c: 8, x, y]) where x >= 8, y >= 8 {
            return u |> layer(c -> c, edge = spectral(over = (x, y), modes = 4), bias = none)
        }"""
    )
    contractions = [line.strip() for line in text.splitlines() if "einsum" in line]
    assert len(contractions) == 5
    assert "complex" not in text
