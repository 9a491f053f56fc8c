"""Scans whose positions are evaluated at once: `using` changes how they are found, never what they are."""

from __future__ import annotations

import re
import warnings
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import archc
from archc.ir.node import Scan, Stage
from archc.passes.parallel_scans import ParallelScans
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

STEPS = {
    "diagonal": """net N (x: real[batch, t, d: 3]) -> (y: real[batch, t, d: 3], last: real[batch, d: 3]) {
        param a: real[d: 3] = uniform(0.5, 0.9)
        let (last, y) = scan over t with h = 0 using associative() {
            let h = a * h + tanh(x)
            emit sin(h) + x
            return h
        }
        return y, last
    }""",
    "gated": """net N (x: real[batch, t, d: 3], start: real[batch, d: 3]) -> (y: real[batch, t, d: 3]) {
        let (last, y) = scan over t with h = start using associative() {
            let z = sigmoid(layer(x, d -> d: 3))
            let before = h
            let h = (1 - z) * h + z * x * (1 + t)
            emit h * before
            return h
        }
        return y
    }""",
    "complex": """net N (x: real[batch, t, d: 3]) -> (y: real[batch, t, d: 3]) {
        param r, theta: real[d: 3] = uniform(0.3, 0.9)
        let (re, im, y) = scan over t with p = 0, q = 0 using associative() {
            let re = r * cos(theta) * p - r * sin(theta) * q + x
            let im = r * sin(theta) * p + r * cos(theta) * q
            emit re - 2 * im
            return re, im
        }
        return y
    }""",
    "delta": """net N (q: real[batch, t, k: 2], key: real[batch, t, k: 2], v: real[batch, t, d: 3],
               beta: real[batch, t])
            -> (y: real[batch, t, d: 3]) {
        let zero[batch, k, d] = 0 * (sum t: key * v)
        let (last, y) = scan over t with s = zero using associative() {
            let error[batch, d] = v - (sum k: s * key)
            let s[batch, k, d] = s + beta * key * error
            emit sum k: s * q
            return s
        }
        return y
    }""",
    "blocks called": """block gate(x: real[d], y: real[d]) -> (z: real[d]) {
        param scale: real[d] = uniform(0.5, 1.5)
        return sigmoid(scale * x) * (y |> norm(over = d))
    }
    net N (x: real[batch, t, d: 3]) -> (y: real[batch, t, d: 3]) {
        param a: real[d: 3] = uniform(0.3, 0.9)
        let (last, y) = scan over t with h = 0 using associative() {
            assume x < 1000
            let h = a * h + (x |> norm(over = d))
            emit h |> norm(over = d) |> gate(y = a) + 0.1 * t
            return h
        }
        return y
    }""",
    "two apart": """net N (x: real[t, batch, d: 3]) -> (y: real[t, batch, d: 3]) {
        param a, b: real[d: 3] = uniform(0.3, 0.9)
        let (u, v, y) = scan over t with u = 0, v = 1 using associative() {
            let u = a * u + x
            let v = b * v - x
            emit u * v
            return u, v
        }
        return y
    }""",
}
NEWTON = {
    "para_gru": """net N (x: real[batch, t, k: 3]) -> (y: real[batch, t, d: 8]) {
        param az, ar, ah: real[d: 8] = normal(0.5)
        param bz, br, bh: real[d: 8, k: 3] = normal(0.7)
        let (last, y) = scan over t with h = 0 using newton(iterations = 3) {
            let z = sigmoid(az * h + (sum k: bz * x))
            let r = sigmoid(ar * h + (sum k: br * x))
            let c = tanh(ah * (h * r) + (sum k: bh * x))
            let before = h
            let h = (1 - z) * h + z * c
            emit h + 0.1 * r * before
            return h
        }
        return y
    }""",
    "pairs": """net N (x: real[batch, t, k: 2, d: 4]) -> (y: real[batch, t, k: 2, d: 4]) {
        param w: real[k: 2, j: 2, d: 4] = normal(0.4)
        let (last, y) = scan over t with h = 0 * x[t: 0] using newton(iterations = 3) {
            assume x < 1000
            let h[batch, k, d] = 0.5 * tanh((sum j: w * h[k: j]) + x) + 0.3 * h
            emit h
            return h
        }
        return y
    }""",
    "gru": """net N (x: real[batch, t, d: 8]) -> (y: real[batch, t, d: 8]) {
        param u, v, w, p, q, r: real[d: 8] = normal(0.7)
        let (last, y) = scan over t with h = 0 using newton(iterations = 3) {
            let z = sigmoid(u * h + p * x)
            let g = sigmoid(v * h + q * x)
            let c = tanh(w * h * g + r * x)
            let h = (1 - z) * h + z * c
            emit h
            return h
        }
        return y
    }""",
    "lstm": """net N (x: real[batch, t, d: 8]) -> (y: real[batch, t, d: 8]) {
        param u, v, w, o, p, q, r, s: real[d: 8] = normal(0.7)
        let (h, c, y) = scan over t with h = 0, c = 0 using newton(iterations = 3) {
            let c = sigmoid(u * h + p * x) * c + sigmoid(v * h + q * x) * tanh(w * h + r * x)
            let h = sigmoid(o * h + s * x) * tanh(c)
            emit h
            return h, c
        }
        return y
    }""",
}
DIVERGES = """net N (x: real[batch, t, d: 8]) -> (y: real[batch, t, d: 8]) {
    param w: real[d: 8] = normal(0.7)
    let (last, y) = scan over t with h = 0 using newton(iterations = 3) {
        let h = tanh(w * h + 2 * x)
        emit h
        return h
    }
    return y
}"""
EVERY = {**STEPS, **NEWTON}
USING = r" using \w+\([^)]*\)"


def sequential(text: str) -> str:
    return re.sub(USING, "", text)


def loaded(text: str) -> nn.Module:
    return instantiate(load_module(archc.build(text), "N"), {}, dtype=torch.float64, seed=0)


def drawn(text: str, **sizes: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    ports = archc.graph(text).net.region.inputs
    shapes = [[axis.size.evaluate(sizes) for axis in port.type.axes] for port in ports]
    return [torch.randn(shape, generator=generator, dtype=torch.float64) / 2 for shape in shapes]


def outputs(net: nn.Module, feed: list[Tensor]) -> tuple[Tensor, ...]:
    found = net(*feed)
    return found if isinstance(found, tuple) else (found,)


def pair(text: str) -> tuple[nn.Module, nn.Module]:
    """The net as it is and step by step, with the same weights."""
    ours, steps = loaded(text), loaded(sequential(text))
    steps.load_state_dict(ours.state_dict())
    return ours, steps


def gradients(net: nn.Module, feed: list[Tensor]) -> list[Tensor]:
    feed = [one.clone().requires_grad_() for one in feed]
    total = sum(one.square().sum() for one in outputs(net, feed))
    assert isinstance(total, Tensor)
    return list(torch.autograd.grad(total, [*net.parameters(), *feed]))


@pytest.mark.parametrize("length", [1, 2, 3, 37, 64])
@pytest.mark.parametrize("name", STEPS)
def test_joined_steps_are_the_steps(name: str, length: int) -> None:
    ours, steps = pair(STEPS[name])
    feed = drawn(STEPS[name], batch=2, t=length)
    for one, other in zip(outputs(ours, feed), outputs(steps, feed), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
    for one, other in zip(gradients(ours, feed), gradients(steps, feed), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", EVERY)
def test_the_reference_agrees(name: str) -> None:
    (trial,) = verify(archc.graph(EVERY[name]), archc.build(EVERY[name]), regimes=("primes",)).trials
    assert trial.ok
    assert trial.sizes["t"] >= 7
    assert trial.notes == ()


def test_verify_solves_to_rounding_and_notes_a_miss_of_what_is_asked_for() -> None:
    text = NEWTON["gru"].replace("iterations = 3", "iterations = 1")
    (trial,) = verify(archc.graph(text), archc.build(text), sizes={"t": 32}, regimes=("primes",)).trials
    assert trial.ok
    (note,) = trial.notes
    assert re.match(r"the scan at spec.arch:3 is left with a residual of \d.\de-02, above 0.0001$", note)


@pytest.mark.parametrize("name", EVERY)
def test_no_step_is_left_and_no_path_changes(name: str) -> None:
    graph = archc.graph(EVERY[name])
    after = ParallelScans().apply(graph).graph
    assert any(isinstance(node, Stage) for node in after.net.region.nodes)
    assert not any(isinstance(node, Scan) for node in after.net.region.nodes)
    ours, steps = pair(EVERY[name])
    assert [(path, one.shape) for path, one in ours.state_dict().items()] == [
        (path, one.shape) for path, one in steps.state_dict().items()
    ]


@pytest.mark.parametrize("name", [*STEPS, "gru", "lstm"])
def test_exported_for_any_length(name: str) -> None:
    text = EVERY[name]
    net = loaded(text)
    ports = archc.graph(text).net.region.inputs
    shapes = [{i: Dim(a.name) for i, a in enumerate(port.type.axes) if a.size.name} for port in ports]
    exported = torch.export.export(net, tuple(drawn(text, batch=3, t=8)), dynamic_shapes=shapes).module()
    for length in (2, 37):
        feed = drawn(text, batch=2, t=length)
        for one, other in zip(outputs(exported, feed), outputs(net, feed), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", NEWTON)
def test_newton_converges_with_the_square_of_the_error(name: str) -> None:
    """ParaRNN (arXiv 2510.21450): 3 iterations are enough for 512 steps."""
    errors = []
    for iterations in (1, 2, 3, 4):
        ours, steps = pair(NEWTON[name].replace("iterations = 3", f"iterations = {iterations}, tolerance = 1"))
        feed = drawn(NEWTON[name], batch=2, t=512)
        errors.append((ours(*feed) - steps(*feed)).abs().max().item())
    assert all(error < bound for error, bound in zip(errors, (0.2, 2e-2, 1e-4, 1e-8), strict=True)), errors
    assert all(after < before**1.5 for before, after in pairwise(errors)), errors
    assert errors[0] > 1e-2


@pytest.mark.parametrize("name", NEWTON)
def test_newton_is_exact_after_as_many_iterations_as_steps(name: str) -> None:
    ours, steps = pair(NEWTON[name].replace("iterations = 3", "iterations = 5"))
    feed = drawn(NEWTON[name], batch=2, t=5)
    torch.testing.assert_close(ours(*feed), steps(*feed), rtol=1e-12, atol=1e-12)
    for one, other in zip(gradients(ours, feed), gradients(steps, feed), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", NEWTON)
def test_value_and_gradient_are_as_close_as_the_tolerance(name: str) -> None:
    """What the error is stated to be: the residual, as the steps hand it on, and of that order the gradient's."""
    errors: dict[int, tuple[float, float]] = {}
    for iterations, tolerance in ((2, 5e-2), (3, 1e-4), (4, 1e-8)):
        ours, steps = pair(NEWTON[name].replace("iterations = 3", f"{iterations=}, {tolerance=}"))
        feed = drawn(NEWTON[name], batch=2, t=256)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value = ours(*feed)
        found, wanted = (torch.cat([one.flatten() for one in gradients(net, feed)]) for net in (ours, steps))
        errors[iterations] = (value - steps(*feed)).abs().max().item(), float((found - wanted).norm() / wanted.norm())
        assert max(errors[iterations]) < tolerance, errors
    assert errors[4] < errors[3] < errors[2]


def test_a_miss_warns_or_is_nan_when_compiled_and_only_where_it_misses() -> None:
    text, feed = DIVERGES, drawn(DIVERGES, batch=2, t=96)
    ours, steps = pair(text)
    with torch.no_grad():
        for net in (ours, steps):
            net.w.copy_(torch.tensor([0.1, 0.2, 0.3, 1.5, -0.1, -0.2, -0.3, -1.5]))
    with pytest.warns(
        UserWarning, match=r"the scan at spec.arch:3 is left with a residual of \d.\de[+-]\d+, above 0.0001"
    ):
        found = ours(*feed)
    wanted = steps(*feed)
    missed = (found - wanted).abs().amax(1) > 1e-3
    assert missed[:, [3, 7]].all()
    assert missed.sum() == 4
    torch._dynamo.reset()
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")(*feed)
    assert torch.equal(compiled.isnan().all(1), missed)
    assert torch.equal(compiled.isnan().any(1), missed)
    torch.testing.assert_close(compiled.nan_to_num(), torch.where(missed[:, None], 0, found), rtol=1e-10, atol=1e-10)
    many = loaded(text.replace("iterations = 3", "iterations = 96"))
    many.load_state_dict(ours.state_dict())
    torch.testing.assert_close(many(*feed), wanted, rtol=1e-8, atol=1e-8)


def test_what_grows_without_bound_is_not_passed_off_as_solved() -> None:
    text = (
        NEWTON["gru"].replace("normal(0.7)", "normal(4.0)").replace("c = tanh(w * h * g + r * x)", "c = w * h + r * x")
    )
    ours, steps = pair(text)
    feed = drawn(text, batch=2, t=128)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error = (ours(*feed) - steps(*feed)).abs().max()
    assert error > 1
    assert len(caught) == 1


@pytest.mark.parametrize("name", NEWTON)
def test_the_gradient_of_newton_is_close(name: str) -> None:
    misses = []
    for iterations in (1, 3):
        ours, steps = pair(NEWTON[name].replace("iterations = 3", f"iterations = {iterations}, tolerance = 1"))
        feed = drawn(NEWTON[name], batch=2, t=128)
        found, wanted = (torch.cat([one.flatten() for one in gradients(net, feed)]) for net in (ours, steps))
        misses.append((found - wanted).norm() / wanted.norm())
    assert misses[1] < 1e-4 < 1e-3 < misses[0], misses


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("let w = repeat 2 with u = x { return tanh(u) }  let h = 0.5 * h + w", "runs a loop"),
        ("let h = 0.5 * h + (x |> twice())", "calls a block that runs a loop"),
        ("let h[batch, k, d] = sum e, f: m * h[k: e, d: f]", "mixes axes `d` and `k`"),
    ],
)
def test_what_cannot_be_had_at_all_positions_at_once_stays_a_loop(step: str, reason: str) -> None:
    text = f"""block twice(x: real[d]) -> (y: real[d]) {{ return repeat 2 with x {{ return tanh(x) }} }}
    net N (x: real[batch, t, k: 2, d: 2], h0: real[batch, k: 2, d: 2]) -> (y: real[batch, t, k: 2, d: 2]) {{
        param m: real[k: 2, d: 2, e: 2, f: 2] = normal(0.2)
        let (last, y) = scan over t with h = h0 using associative() {{ {step}  emit h + 0 * m[e: 0, f: 0]  return h }}
        return y
    }}"""
    (note,) = [one for one in archc.check(text) if one.code == "W0705"]
    assert reason in note.message
    after = ParallelScans().apply(archc.graph(text)).graph
    assert any(isinstance(node, Scan) for node in after.net.region.nodes)
    ours, steps = pair(text)
    feed = drawn(text, batch=2, t=4)
    torch.testing.assert_close(ours(*feed), steps(*feed), rtol=0, atol=0)


def test_a_step_that_draws_for_what_it_carries_stays_a_loop() -> None:
    """Every iteration would draw anew."""
    text = NEWTON["gru"].replace("h = (1 - z) * h + z * c", "h = (1 - z) * dropout(h, rate = 0.1) + z * dropout(c)")
    (note,) = archc.check(text)
    assert "draws random numbers for what it carries" in note.message
    text = NEWTON["gru"].replace("r * x", "r * dropout(x)")
    net, feed = loaded(text).train(), drawn(text, batch=2, t=64)
    assert archc.check(text) == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = net(*feed)
    assert (found - net.eval()(*feed)).abs().max() > 0.01


def test_a_step_with_large_blocks_stays_a_loop() -> None:
    text = """net N (x: real[batch, t, d: 8], start: real[batch, d: 8]) -> (y: real[batch, d: 8]) {
        return scan over t with h = start using newton(iterations = 2) { return tanh(layer(h, d -> d) + x) }
    }"""
    after = ParallelScans().apply(archc.graph(text)).graph
    assert [type(node) for node in after.net.region.nodes if isinstance(node, Scan | Stage)] == [Scan]
    ours, steps = pair(text)
    feed = drawn(text, batch=2, t=4)
    torch.testing.assert_close(ours(*feed), steps(*feed), rtol=0, atol=0)
