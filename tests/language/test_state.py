"""States and the word `training`: every use of them against the reference, in both modes, compiled and exported."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, export

import archc
from archc.ir.same import differences
from archc.ir.text import print_graph
from archc.readings.cost import cost
from archc.readings.values import reference
from archc.run.feed import inputs
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

SPECS = {
    "running mean": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            state seen: real[d] = zero
            let mu = where(training, mean(x, over = batch), seen)
            let seen = where(training, 0.9 * seen + 0.1 * mu, seen)
            return x - mu
        }""",
    "counter": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3], seen: int[]) {
            state steps: int[] = zero
            let before = steps
            let steps = steps + 1
            return x * steps, before
        }""",
    "two states exchanged": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            state a: real[d] = zero
            state b: real[d] = one
            let old = a
            let a = b
            let b = old + mean(x, over = batch)
            return x * old * a
        }""",
    "transposed in place": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            state s: real[i: 4, j: 4] = normal(1)
            let s[i: 4, j: 4] = s[i: j, j: i]
            return x * (sum i, j: s * (i + 1))
        }""",
    "key-value cache": """
        net N (steps = 6) (x: real[d: 3]) -> (y: real[d: 3]) where steps >= 1 {
            state key: real[t: steps, d: 3] = zero
            state val: real[t: steps, d: 3] = zero
            state at: int[] = zero
            let q = layer(x, d -> d)
            let key[t, d] = where(t == at % steps, layer(x, d -> d), key)
            let val[t, d] = where(t == at % steps, layer(x, d -> d), val)
            let a = softmax((sum d: q * key) + where(t <= at, 0, -1e9), over = t)
            let at = at + 1
            return sum t: a * val
        }""",
    "shared block": """
        block run(rate: real) (x: real[batch, d]) -> (y: real[batch, d]) {
            state m: real[d] = 0.5
            let y = x * m
            let m = rate * m + mean(x, over = batch)
            return y
        }
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            share f = run(rate = 0.9)
            let z = f(tanh(f(x)))
            let _last = f(z)
            return z
        }""",
    "passes of a repeat": """
        block run(rate: real) (x: real[batch, d]) -> (y: real[batch, d]) {
            state m: real[d] = 0.5
            let y = x + m
            let m = rate * m + mean(x, over = batch)
            return y
        }
        net N (depth = 2) (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            let h = repeat depth with x {
                state g: real[] = 1
                let y = run(x, rate = 0.5) * g
                let g = g + 1
                return y
            }
            return repeat depth shared with h { return run(h, rate = 0.5) }
        }""",
    "branch of an if": """
        net N (flag = true) (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            let y = if flag {
                state s: real[d] = 1
                let y = x + s
                let s = s + sum(x, over = batch)
                return y
            } else {
                return x
            }
            let s = 2 * y
            return s
        }""",
    "training in every place": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3], t: bool[], n: real[batch], m: real[d: 3]) {
            let y = where(not training, 2 * x, 1)
            let w = where(training and x > 0, x, y)
            let m = mean batch where training or x > 0: x
            return where(training, 1, 0) * w + where(training, 0.5, x), training, sum d where not training: x, m
        }""",
    "other kinds": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            state s: real[] = zero
            state p: real[d] = zero
            let y = x + s + p
            let s = 2
            let p = softmax(sum batch: x, over = d)
            return y
        }""",
    "read in a scan": """
        net N (x: real[batch, t, d: 3]) -> (y: real[batch, t, d: 3]) {
            state m: real[d] = 0.5
            let (h, y) = scan over t with h = 0 {
                let h = tanh(h + x * m) * where(training, 0.5, m)
                emit h
                return h
            }
            let m = mean(h, over = batch)
            return y
        }""",
    "read where a gradient needs it": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            param a: real[d]
            state m: real[d] = 0.5
            let y = a * m * x
            let m = m + a
            return y
        }""",
    "training without a state": """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            return layer(x, d -> d, neuron = tanh) * where(training, 0.5, 1.0)
        }""",
}
EACH = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
MODES = pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])


def fed(spec: str, seed: int = 0) -> tuple[Tensor, ...]:
    graph = archc.graph(spec)
    sizes = {symbol.name: symbol.default or 3 + at for at, symbol in enumerate(graph.net.symbols)}
    return tuple(torch.from_numpy(array).float() for array in inputs(graph, sizes, seed).values())


def several(result: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    return (result,) if isinstance(result, Tensor) else tuple(result)


def runs(function: Callable[..., Tensor], spec: str) -> list[Tensor]:
    """What three runs give, one after the other."""
    return [one for seed in range(3) for one in several(function(*fed(spec, seed)))]


@EACH
def test_agrees_with_the_reference(spec: str) -> None:
    report = verify(archc.graph(spec), archc.build(spec))
    assert report.ok, [trial.fault or [one for one in trial.comparisons if not one.ok] for trial in report.trials]
    assert any(one.name.endswith("(training)") for trial in report.trials for one in trial.comparisons)


@EACH
def test_comes_back_from_its_text(spec: str) -> None:
    graph = archc.graph(spec)
    assert list(differences(graph, archc.graph(print_graph(graph)))) == []


@EACH
def test_nothing_is_said_of_what_the_next_run_reads(spec: str) -> None:
    assert [str(one) for one in archc.check(spec)] == []


@MODES
@EACH
def test_compiled_whole_it_does_the_same(spec: str, training: bool) -> None:
    torch.manual_seed(0)
    eager = archc.load(spec).train(training)
    other = copy.deepcopy(eager)
    torch._dynamo.reset()
    compiled = torch.compile(other, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(runs(compiled, spec), runs(eager, spec))
    torch.testing.assert_close(dict(other.named_buffers()), dict(eager.named_buffers()))


@EACH
def test_exported_it_does_the_same(spec: str) -> None:
    torch.manual_seed(0)
    module, graph = archc.load(spec).eval(), archc.graph(spec)
    axes = [[axis.size.name for axis in port.type.axes] for port in graph.net.region.inputs]
    shapes = [{at: Dim(name) for at, name in enumerate(names) if name} for names in axes]
    exported = export(copy.deepcopy(module), fed(spec), dynamic_shapes=shapes).module()
    torch.testing.assert_close(runs(exported, spec), runs(module, spec))


@EACH
def test_a_gradient_goes_through_two_runs(spec: str) -> None:
    module = archc.load(spec).train()
    feed = [one.requires_grad_() if one.is_floating_point() else one for one in fed(spec)]
    results = [*several(module(*feed)), *several(module(*feed))]
    sum(one.sum() for one in results if one.requires_grad).backward()
    assert all(not buffer.requires_grad for buffer in module.buffers())


def test_a_state_is_no_parameter() -> None:
    spec = SPECS["read where a gradient needs it"]
    module = archc.load(spec)
    assert [name for name, _ in module.named_parameters()] == ["a"]
    assert list(module.state_dict()) == ["a", "m"]
    found = cost(archc.graph(spec)).net.evaluate({"batch": 1})
    assert (found["parameters"], found["states"]) == (3, 3)


def test_nothing_is_stored_in_evaluation() -> None:
    module = archc.load(SPECS["running mean"]).eval()
    before = module.seen._version
    module(torch.ones(4, 3))
    assert module.seen._version == before
    assert module.seen.tolist() == [0.0, 0.0, 0.0]
    module.train()(torch.ones(4, 3))
    torch.testing.assert_close(module.seen, torch.full((3,), 0.1))


def test_a_state_keeps_the_precision_of_its_module() -> None:
    module = archc.load(SPECS["running mean"]).to(torch.bfloat16).train()
    module(torch.ones(4, 3, dtype=torch.bfloat16))
    assert module.seen.dtype == torch.bfloat16


def test_the_cache_is_causal_attention() -> None:
    """Token by token against all tokens at once."""
    torch.manual_seed(0)
    module = archc.load(SPECS["key-value cache"]).double().eval()
    x = torch.randn(6, 3, dtype=torch.float64)
    found = torch.stack([module(one) for one in x])
    q, key, val = (
        nn.functional.linear(x, getattr(module, f"{name}_weight"), getattr(module, f"{name}_bias"))
        for name in ("q", "layer", "layer_2")
    )
    score = (q @ key.T).masked_fill(torch.ones(6, 6).triu(1).bool(), -torch.inf)
    torch.testing.assert_close(found, score.softmax(-1) @ val)
    assert module.at.item() == 6


def test_the_reference_gives_what_states_hold() -> None:
    graph = archc.graph(SPECS["running mean"])
    x, seen = np.arange(6.0).reshape(2, 3), np.ones(3)
    updates: dict[str, np.ndarray] = {}
    found = reference(graph)({"x": x}, {"seen": seen}, training=True, updates=updates)
    np.testing.assert_allclose(found["y"], x - x.mean(0))
    np.testing.assert_allclose(updates["seen"], 0.9 + 0.1 * x.mean(0))
    still = reference(graph)({"x": x}, {"seen": seen})
    np.testing.assert_allclose(still["y"], x - 1)


def test_a_net_that_draws_is_compared_in_evaluation_alone() -> None:
    spec = """
        net N (x: real[batch, d: 3]) -> (y: real[batch, d: 3]) {
            return dropout(x * where(training, 2, 1), rate = 0.5)
        }"""
    report = verify(archc.graph(spec), archc.build(spec), regimes=("primes",))
    assert report.ok
    assert not any("training" in one.name for trial in report.trials for one in trial.comparisons)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("0.9 * self.seen", "0.8 * self.seen"),
        (".copy_(", ".add_("),
        ("x.mean(-2) if self.training", "x.mean(-2) if not self.training"),
    ],
)
def test_a_wrong_module_is_found_out(right: str, wrong: str) -> None:
    spec = SPECS["running mean"]
    text = archc.build(spec)
    assert right in text
    report = verify(archc.graph(spec), text.replace(right, wrong), regimes=("primes",))
    assert not report.ok


NORM = """
use std.norm
net N (x: real[batch, c: 4, {grid}]) -> (y: real[batch, c: 4, {grid}]) {{
    return x |> batch_norm(channel = c, over = (batch, {grid}))
}}
"""


@pytest.mark.parametrize(("grid", "peer"), [("t", nn.BatchNorm1d), ("h, w", nn.BatchNorm2d)], ids=["1d", "2d"])
def test_batch_norm_is_that_of_torch(grid: str, peer: type[nn.Module]) -> None:
    ours = instantiate(load_module(archc.build(NORM.format(grid=grid)), "N"), {}, dtype=torch.float64)
    theirs = peer(4).double()
    with torch.no_grad():
        theirs.weight.uniform_(0.5, 1.5)
        theirs.bias.uniform_(-1, 1)
    state = theirs.state_dict()
    norm = {"gain": state["weight"], "bias": state["bias"]} | {k: state[k] for k in ("running_mean", "running_var")}
    ours.load_state_dict({f"batch_norm.{name}": tensor.clone() for name, tensor in norm.items()})
    shape = (5, 4, 6, 7)[: 2 + len(grid.split(","))]
    for seed in range(3):
        torch.manual_seed(seed)
        x = torch.randn(shape, dtype=torch.float64) * (seed + 1) + seed
        one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
        torch.testing.assert_close(ours(one), theirs(other), rtol=1e-9, atol=1e-9)
        (ours(one) ** 3).sum().backward()
        (theirs(other) ** 3).sum().backward()
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-8, atol=1e-8)
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(getattr(ours.batch_norm, name), getattr(theirs, name), rtol=1e-9, atol=1e-9)
    x = torch.randn(shape, dtype=torch.float64)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-9, atol=1e-9)


def test_evonorm_against_its_definition() -> None:
    """2004.02967: x / max(sqrt(s2(b, h, w)), v x + sqrt(s2(h, w))) gamma + beta."""
    spec = """
        use std.norm
        net N (x: real[batch, c: 4, h, w]) -> (y: real[batch, c: 4, h, w]) {
            return x |> evonorm_b0(channel = c, sample = batch, over = (h, w))
        }"""
    module = instantiate(load_module(archc.build(spec), "N"), {}, dtype=torch.float64)
    norm = module.evonorm_b0
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(0.5, 1.5)
    torch.manual_seed(0)
    x = torch.randn(5, 4, 6, 7, dtype=torch.float64)
    gain, bias, slope = (one[:, None, None] for one in (norm.gain, norm.bias, norm.slope))

    def wanted(variance: Tensor) -> Tensor:
        within = slope * x + (x.var((2, 3), unbiased=False, keepdim=True) + 1e-3).sqrt()
        return x / torch.maximum((variance + 1e-3).sqrt()[:, None, None], within) * gain + bias

    torch.testing.assert_close(module.train()(x), wanted(x.var((0, 2, 3), unbiased=False)))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * x.var((0, 2, 3)))
    torch.testing.assert_close(module.eval()(x), wanted(norm.running_var))
