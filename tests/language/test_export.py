"""Every axis stays open in an exported module, however many lie around a loop and whatever loops lie in it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import archc

SOLVER = "plain(tolerance = 1e-12, limit = 99)"
PORTS = "(x: real[a, b, t, d: 3]) -> (y: real[a, b, t, d: 3])"
LOOPS = {
    "layer": f"""net N {PORTS} {{
        let (h, y) = scan over t with h = 0 {{ let h = tanh(layer(h, d -> d: 3) + x)  emit h  return h }}
        return y
    }}""",
    "contraction": f"""use std.fast_weights.delta_net
    net N {PORTS} {{ return x |> delta_net(over = t, heads = 1) }}""",
}
NESTED = {
    "scan in a scan": """scan over t with h = 0 {
        return scan over s with g = h { return tanh(g + x) }
    }""",
    "fixpoint in a scan": f"""scan over t with h = mean(x, over = (t, s)) {{
        return fixpoint with z = h using {SOLVER} {{ return 0.3 * tanh(z) + (mean s: x) / size(t) }}
    }}""",
    "scan in a fixpoint": f"""fixpoint with z = mean(x, over = (t, s)) using {SOLVER} {{
        return scan over t with h = 0.2 * z {{ return tanh(0.3 * h + 0.1 * z + mean s: x) }}
    }}""",
    "fixpoint in a fixpoint": f"""fixpoint with z = mean(x, over = (t, s)) using {SOLVER} {{
        return fixpoint with h = z using {SOLVER} {{ return 0.3 * tanh(h) + 0.1 * z + mean(x, over = (t, s)) }}
    }}""",
}


def exported(module: nn.Module, x: Tensor, axes: int) -> nn.Module:
    shapes = (dict.fromkeys(range(axes), Dim.DYNAMIC),)
    return torch.export.export(module, (x,), dynamic_shapes=shapes).module()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_inside_several_open_axes_with_its_gradient(loop: str) -> None:
    module = archc.load(LOOPS[loop]).double()
    graph = exported(module, torch.randn(3, 4, 5, 3, dtype=torch.float64), 3)
    for shape in ((2, 5, 6, 3), (1, 3, 1, 3)):
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        results = []
        for net in (graph, module):
            y = net(x)
            results.append((y, *torch.autograd.grad(y.pow(3).sum(), [x, *net.parameters()])))
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("loop", NESTED)
def test_a_loop_in_a_loop(loop: str) -> None:
    module = archc.load(f"net N (x: real[a, b, t, s]) -> (y: real[a, b]) {{ return {NESTED[loop]} }}").double()
    graph = exported(module, torch.randn(2, 3, 4, 5, dtype=torch.float64), 4)
    for shape in ((3, 2, 5, 4), (1, 4, 1, 2)):
        x = torch.randn(shape, dtype=torch.float64)
        torch.testing.assert_close(graph(x), module(x), rtol=1e-9, atol=1e-9)


def test_what_was_exported_before_closes_no_axis() -> None:
    """Torch keeps what it traced, and would ask of the sizes of the next that they differ from those."""
    text = "net N (x: real[t, a, d]) -> (y: real[a, d]) { return scan over t with h = 0 { return tanh(h + x) } }"
    exported(archc.load(text.replace("d]", "d: 3]")), torch.randn(4, 5, 3), 2)
    module = archc.load(text)
    graph = exported(module, torch.randn(4, 5, 6), 3)
    x = torch.randn(2, 4, 3)
    torch.testing.assert_close(graph(x), module(x))
