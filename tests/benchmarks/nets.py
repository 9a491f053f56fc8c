"""The nets that are timed, and what each is timed against."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

import archc
from archc.base.assets import specs_root

BATCH = 1024


def spline_kan() -> nn.Module:
    """A spline KAN 64 -> 128 -> 64 with five intervals and cubic splines, 147,456 parameters."""
    text = (specs_root() / "kan" / "kan.arch").read_text(encoding="utf-8")
    wide = text.replace("[batch, d: 2]", "[batch, d: 64]").replace("[batch, d: 1]", "[batch, d: 64]")
    return archc.load(wide.replace("layer(d -> d: 1,", "layer(d -> d: 64,"), hidden=128, grid=5, order=3)


LAYERS = """net Layers(hidden = 128) (x: real[batch, d: 64]) -> (y: real[batch, d: 64]) {{
    return x |> layer(d -> d: hidden, edge = {0}, bias = {1}) |> layer(d -> d: 64, edge = {0}, bias = {1})
}}"""


def chebyshev_kan() -> nn.Module:
    """A Chebyshev KAN 64 -> 128 -> 64 of degree 7, its constants in the biases, 114,880 parameters."""
    return archc.load(LAYERS.format("chebyshev(degree = 7, first = 1)", "unit"))


def rational_kan() -> nn.Module:
    """Rational functions in eight groups, then a matrix, twice: 64 -> 128 -> 64, 16,736 parameters."""
    return archc.load(LAYERS.format("tied(rational(), groups = 8) >> weight", "unit"))


def mlp() -> nn.Module:
    """An MLP 64 -> 1270 -> 64, whose 163,894 parameters come nearest to the 163,840 of efficient-kan's KAN."""
    return nn.Sequential(nn.Linear(64, 1270), nn.ReLU(), nn.Linear(1270, 64))


def set_classifier() -> nn.Module:
    """SetClassifier of the specs at its defaults."""
    return archc.load(specs_root() / "attention" / "attention.arch")


class Encoder(nn.Module):
    """One encoder layer as an engineer writes it by hand, with torch's fused attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        flat = (self.query(z), self.key(z), self.value(z))
        read = scaled_dot_product_attention(*(each.unflatten(-1, (self.heads, -1)).transpose(-2, -3) for each in flat))
        h = x + self.out(read.transpose(-2, -3).flatten(-2))
        return h + self.down(gelu(self.up(self.second(h))))


class HandWritten(nn.Module):
    """The same set classifier by hand."""

    def __init__(self, width: int = 64, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.rise = nn.Linear(3, width)
        self.encoders = nn.Sequential(*(Encoder(width, heads) for _ in range(depth)))
        self.classes = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.encoders(self.rise(x)).mean(-2))


NODES, EDGES, RELATIONS = 2_000, 20_000, 4


def rgcn() -> nn.Module:
    """RGCN of the specs at its defaults."""
    return archc.load(specs_root() / "graphs" / "rgcn.arch")


class HandWrittenRGCN(nn.Module):
    """The same by hand: for every relation the rows of its edges are gathered, multiplied and added at their target."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.weights = nn.ModuleList(nn.Linear(32, width, bias=False) for _ in range(RELATIONS))
        self.own = nn.Linear(32, width)

    def forward(self, x: Tensor, src: Tensor, dst: Tensor, rel: Tensor) -> Tensor:
        y = self.own(x)
        for number, weight in enumerate(self.weights):
            edges = (rel == number).nonzero().squeeze(-1)
            y = y.index_add(0, dst[edges], weight(x[src[edges]]))
        return y.relu()


def edges(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """A random graph: source, target and relation of every edge."""
    generator = torch.Generator().manual_seed(seed)
    tops = (NODES, NODES, RELATIONS)
    src, dst, rel = (torch.randint(top, (EDGES,), generator=generator) for top in tops)
    return src, dst, rel


class OnGraph(nn.Module):
    """A net with its graph, so that only the values of the nodes are left to give."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.graph = net, edges()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.net(x, *self.graph)
        return found


def mgno() -> nn.Module:
    """MgNO as released for Darcy flow, 572,661 parameters, its channels last in memory."""
    net = archc.load(specs_root() / "operators" / "mgno_darcy.arch")
    return net.to(memory_format=torch.channels_last)


def fno() -> nn.Module:
    """The Fourier neural operator of width 32 with 12 modes, from one channel to one, 2,367,937 parameters."""
    text = (specs_root() / "operators" / "fno.arch").read_text(encoding="utf-8")
    return archc.load(text.replace("[batch, c: 3, x, y]", "[batch, c: 1, x, y]"), modes=12)


def conv_stack() -> nn.Module:
    """Four plain 3x3 convolutions of width 32 between a lifting and a projection, 41,409 parameters."""
    inner = [part for _ in range(4) for part in (nn.Conv2d(32, 32, 3, padding=1), nn.GELU())]
    return nn.Sequential(nn.Conv2d(1, 32, 1), *inner, nn.Conv2d(32, 128, 1), nn.GELU(), nn.Conv2d(128, 1, 1))


def lru(*, is_parallel: bool) -> nn.Module:
    """A linear recurrent unit of the library with 64 states for 64 channels, all positions at once or step by step."""
    text = (specs_root() / "std" / "state_space.arch").read_text(encoding="utf-8")
    text = text if is_parallel else text.replace(" using associative()", "")
    net = "net N (x: real[batch, t, d: 64]) -> (y: real[batch, t, d: 64]) { return x |> lru(over = t, states = 64) }"
    return archc.load(f"{text}\n{net}")


def size(net: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in net.parameters())


def forward(net: nn.Module, x: Tensor) -> Tensor:
    """One inference."""
    with torch.no_grad():
        return net(x)


def step(net: nn.Module, x: Tensor) -> None:
    """Forward and backward."""
    net.zero_grad(set_to_none=True)
    torch.autograd.backward(net(x).square().mean())
