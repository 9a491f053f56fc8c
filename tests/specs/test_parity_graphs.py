"""Graph networks as loops over edges and pairs, with the same parameters; NBFNet's step as shortest paths."""

from __future__ import annotations

import shutil
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import archc
from tests.specs.conftest import ROOT
from tests.specs.test_parity import close, drawn, loaded, passes


def edges(nodes: int, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The ends of random edges; the last node has none."""
    src, dst = np.random.default_rng(seed).integers(0, nodes - 1, (2, count))
    return torch.from_numpy(src), torch.from_numpy(dst)


def test_egnn_is_a_loop_over_pairs() -> None:
    ours = loaded(ROOT / "graphs/egnn.arch", width=6)
    x, h = drawn(2, 4, 3), drawn(2, 4, 16, seed=1)
    wanted = x.clone()
    for batch in range(2):
        for n in range(4):
            for m in range(4):
                r = x[batch, n] - x[batch, m]
                pair = ours.a_weight @ h[batch, n] + ours.a_bias + ours.b_weight @ h[batch, m] + ours.b_bias
                pair = pair + ours.layer_weight * (r @ r) + ours.layer_bias
                wanted[batch, n] += (torch.tanh(pair) @ ours.gate_weight + ours.gate_bias).detach() * r / 4
    close(ours(x, h), wanted)


def test_egnn_moves_with_space_and_with_the_order() -> None:
    ours = loaded(ROOT / "graphs/egnn.arch", width=6)
    x, h = drawn(2, 5, 3), drawn(2, 5, 16, seed=1)
    turn, _ = torch.linalg.qr(drawn(3, 3, seed=2))
    turn[:, 0] *= -torch.linalg.det(turn).sign()  # a reflection
    close(torch.linalg.det(turn), torch.tensor(-1.0, dtype=torch.float64))
    move, order = drawn(3, seed=3), torch.tensor([3, 0, 4, 1, 2])
    close(ours(x @ turn.T + move, h), ours(x, h) @ turn.T + move)
    close(ours(x[:, order], h[:, order]), ours(x, h)[:, order])


def attended(ours: nn.Module, x: Tensor, src: Tensor, dst: Tensor) -> Tensor:
    """Equations 1 to 4 of graph attention, node by node."""
    heads, width, _ = ours.z_weight.shape
    found = torch.zeros(len(x), heads, width, dtype=x.dtype)
    for head in range(heads):
        z = functional.linear(x, ours.z_weight[head])
        for node in range(len(x)):
            inbox = (dst == node).nonzero().flatten()
            if len(inbox):
                sources = z[src[inbox]]
                score = functional.leaky_relu(z[node] @ ours.a[head] + sources @ ours.b[head], 0.2)
                found[node, head] = (torch.softmax(score, 0) @ sources).detach()
    return found


def test_gat_is_a_loop_over_nodes() -> None:
    ours = loaded(ROOT / "graphs/gat.arch", width=3, heads=2, classes=4)
    first, second = ours.children()
    x, (src, dst) = 0.1 * drawn(6, 1433), edges(6, 15)
    h = functional.elu(attended(first, x, src, dst)).flatten(1)
    close(ours(x, src, dst), attended(second, h, src, dst).mean(1))


def test_gat_has_the_published_number_of_parameters() -> None:
    """8 heads of 8 units from the 1,433 words of Cora, then 7 classes: weights and the two halves of every a."""
    ours = loaded(ROOT / "graphs/gat.arch")
    first = 1433 * 64 + 2 * 64
    assert sum(parameter.numel() for parameter in ours.parameters()) == first + 64 * 7 + 2 * 7


def test_nbfnet_is_a_loop_over_edges() -> None:
    ours = loaded(ROOT / "graphs/nbfnet.arch", width=5, depth=3, relations=3)
    nodes, (src, dst) = 6, edges(6, 14)
    rel = torch.from_numpy(np.random.default_rng(1).integers(0, 3, 14))
    query, source = torch.tensor([2, 0]), torch.tensor([[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]]) == 1
    wanted = []
    for batch in range(2):
        q = ours.Q[query[batch]]
        start = torch.stack([q if mark else 0 * q for mark in source[batch]])
        h = start
        for body in passes(ours):
            w = body.w_weight @ q + body.w_bias
            inbox = [start[node] for node in range(nodes)]
            for edge in range(14):
                inbox[dst[edge]] = inbox[dst[edge]] + h[src[edge]] * w[rel[edge]]
            z = functional.linear(torch.cat((h, torch.stack(inbox)), 1), body.layer_weight, body.layer_bias)
            h = h + functional.layer_norm(z, (5,), body.norm.gain, body.norm.bias).relu()
        both = torch.cat((h, q.expand(nodes, -1)), 1)
        score = functional.linear(both, ours.layer_2_weight, ours.layer_2_bias).relu()
        wanted.append(score @ ours.score_weight + ours.score_bias)
    close(ours(src, dst, rel, source, query), torch.stack(wanted))


PATHS = """
use "nbfnet.arch"
net Paths(depth = 39) (start: real[n, d], w: real[e, d], src: index(n)[e], dst: index(n)[e]) -> (y: real[n, d]) {
    return repeat depth with y = start {
        return relax(y, start, w, src, dst, message = plus, aggregate = min)
    }
}
"""


@pytest.mark.parametrize("seed", range(3))
def test_nbfnet_with_minimum_and_plus_is_bellman_ford(seed: int, tmp_path: Path) -> None:
    """The block that passes its messages on finds the shortest paths from several sources at once."""
    spec = shutil.copy(ROOT / "graphs/nbfnet.arch", tmp_path)
    (tmp_path / "paths.arch").write_text(PATHS, encoding="utf-8")
    nodes, sources = 40, [0, 7, 11]
    ours = loaded(tmp_path / "paths.arch", depth=nodes - 1)
    assert "relax" in {block.word for block in archc.graph(spec).blocks.values()}
    graph = nx.gnp_random_graph(nodes, 0.08, seed=seed, directed=True)
    generator = np.random.default_rng(seed)
    for _, _, data in graph.edges(data=True):
        data["weight"] = generator.uniform(0.1, 2.0)
    src, dst, weight = (torch.from_numpy(np.array(column)) for column in zip(*graph.edges(data="weight"), strict=True))
    start = torch.full((nodes, len(sources)), torch.inf, dtype=torch.float64)
    start[sources, range(len(sources))] = 0
    paths = [nx.single_source_dijkstra_path_length(graph, source) for source in sources]
    assert all(len(reached) > 20 for reached in paths)
    wanted = [[reached.get(node, torch.inf) for reached in paths] for node in range(nodes)]
    found = ours(start, weight[:, None].expand(-1, len(sources)), src, dst)
    close(found, torch.tensor(wanted, dtype=torch.float64))
