"""Fixpoints: what they solve, their gradient, and what happens where there is none to be found."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.export import Dim

import archc
from archc.run.load import instantiate, load_module
from archc.run.verify import verify

NET = """
net N (x: real[batch, d: 5]) -> (z: real[batch, d: 5]) {
    return fixpoint with z = 0 * x using SOLVER { return tanh(layer(z, d -> d) + x) }
}"""
SETS = """
net N (x: real[batch, n, d: 4]) -> (z: real[batch, n, d: 4]) {
    return fixpoint with z = x using SOLVER {
        let a = softmax(sum d: z * z[n: m], over = m)
        return x + 0.3 * (sum m: a * tanh(layer(z, d -> d)[n: m]))
    }
}"""
TWO = """
net N (x: real[batch, d: 3], g: real[batch, k: 2]) -> (u: real[batch, d: 3], v: real[batch, k: 2]) {
    let (u, v) = fixpoint with u = x, v = g using SOLVER {
        return tanh(0.5 * layer(v, k -> d: 3) + x), 0.5 * tanh(layer(u, d -> k: 2)) + g
    }
    return u, v
}"""
TIGHT = ("plain(tolerance = 1e-13, limit = 400)", "anderson(tolerance = 1e-13, limit = 200)")
TEXTS = {"dense": NET, "sets": SETS, "two": TWO}


def loaded(text: str, solver: str, scale: float = 1.0) -> nn.Module:
    net = instantiate(load_module(archc.build(text.replace("SOLVER", solver)), "N"), {}, dtype=torch.float64, seed=0)
    with torch.no_grad():
        for weight in net.parameters():
            weight *= scale
    return net


def drawn(text: str) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    shapes = {NET: [(7, 5)], SETS: [(3, 6, 4)], TWO: [(4, 3), (4, 2)]}[text]
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)


def step(net: nn.Module) -> nn.Module:
    (inner,) = net.children()
    return inner


def unrolled(net: nn.Module, text: str, feed: tuple[Tensor, ...], passes: int = 400) -> tuple[Tensor, ...]:
    """The iteration written out, all of it differentiated. A pass is that of the generated module."""
    z = (0 * feed[0],) if text is NET else feed
    for _ in range(passes):
        found = step(net)(*z, *feed)
        z = found if isinstance(found, tuple) else (found,)
    return z


@pytest.mark.parametrize("solver", TIGHT)
@pytest.mark.parametrize("name", TEXTS)
def test_value_and_gradient_are_those_of_the_iteration(name: str, solver: str) -> None:
    text = TEXTS[name]
    net = loaded(text, solver)
    feed = tuple(one.requires_grad_() for one in drawn(text))
    found = net(*feed)
    found = found if isinstance(found, tuple) else (found,)
    wanted = unrolled(net, text, feed)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
    read = [*net.parameters(), *feed]
    ours, theirs = (torch.autograd.grad(sum(one.pow(3).sum() for one in all), read) for all in (found, wanted))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", TEXTS)
def test_the_reference_agrees(name: str) -> None:
    text = TEXTS[name].replace("SOLVER", "anderson(tolerance = 1e-9, limit = 100)")
    assert verify(archc.graph(text), archc.build(text), regimes=("primes",)).ok


ROTATION = """
net N (x: real[batch, d: 2]) -> (z: real[batch, d: 2]) {
    return fixpoint with z = x using SOLVER {
        let turned[batch, d] = where(d == 0, -z[d: 1], z[d: 0])
        return x + 1.5 * turned
    }
}"""


def test_anderson_solves_what_plain_iteration_does_not() -> None:
    x = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a = 1.5 * torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    wanted = torch.linalg.solve(torch.eye(2, dtype=torch.float64) - a, x.T).T
    found = loaded(ROTATION, "anderson(tolerance = 1e-10, limit = 30)")(x)
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8)
    with pytest.warns(UserWarning, match=r"the fixpoint at \S+ stops after 30 steps with a residual of"):
        lost = loaded(ROTATION, "plain(tolerance = 1e-10, limit = 30)")(x)
    assert (lost - wanted).norm() > 1e3 * wanted.norm()


def test_a_miss_warns_or_is_nan_when_compiled_and_only_where_it_misses() -> None:
    text = NET.replace("tanh(layer(z, d -> d) + x)", "x * z + 1")
    net = loaded(text, "plain(tolerance = 1e-8, limit = 60)")
    x = torch.tensor([[0.1] * 5, [2.0] * 5], dtype=torch.float64)
    with pytest.warns(UserWarning, match="stops after 60 steps"):
        net(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.testing.assert_close(net(x[:1]), 1 / (1 - x[:1]))
    torch._dynamo.reset()
    found = torch.compile(net, fullgraph=True, backend="eager")(x)
    assert found[1].isnan().all()
    torch.testing.assert_close(found[0], 1 / (1 - x[0]))


@pytest.mark.parametrize("power", [1, 3])
def test_a_gradient_that_is_not_to_be_had_is_refused(power: int) -> None:
    """That of the gradient: the one of a step from where the search ended would be another number."""
    net = loaded(NET, TIGHT[0])
    (x,) = (one.requires_grad_() for one in drawn(NET))
    with pytest.raises(RuntimeError, match=r"the gradient of the fixpoint at spec.arch:3 has no derivative"):
        torch.autograd.grad(net(x).pow(power).sum(), x, create_graph=True)


def test_a_miss_of_the_gradient_is_called_one() -> None:
    net = loaded(NET, "plain(tolerance = 1e-5, limit = 200, gradient_tolerance = 1e-5, gradient_limit = 1)")
    (x,) = (one.requires_grad_() for one in drawn(NET))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = net(x)
    with pytest.warns(UserWarning, match=r"^the gradient of the fixpoint at spec.arch:3 stops after 1 steps"):
        found.sum().backward()


def test_verify_notes_a_miss_of_the_module_as_it_is_written() -> None:
    text = NET.replace("SOLVER", "plain(tolerance = 1e-5, limit = 1)")
    (trial,) = verify(archc.graph(text), archc.build(text), regimes=("small",)).trials
    assert trial.ok
    forward, backward = trial.notes
    assert forward.startswith("the fixpoint at spec.arch:3 stops after 1 steps")
    assert backward.startswith("the gradient of the fixpoint at spec.arch:3 stops after 1 steps")
    text = NET.replace("SOLVER", "plain(tolerance = 1e-5, limit = 500)")
    assert verify(archc.graph(text), archc.build(text), regimes=("small",)).trials[0].notes == ()


def test_memory_of_a_step_does_not_grow_with_the_iterations() -> None:
    saved: dict[int, int] = {}
    for limit in (3, 300):
        net = loaded(NET, f"plain(tolerance = 0.0, limit = {limit})", scale=0.1)
        sizes: list[int] = []

        def kept(one: Tensor, sizes: list[int] = sizes) -> Tensor:
            sizes.append(one.numel())
            return one

        with warnings.catch_warnings(), saved_tensors_hooks(kept, lambda one: one):
            warnings.simplefilter("ignore")
            net(drawn(NET)[0])
        saved[limit] = sum(sizes)
    assert saved[3] == saved[300] > 0


@pytest.mark.parametrize("solver", ["plain(tolerance = 1e-9, limit = 99)", "anderson(tolerance = 1e-9, limit = 99)"])
def test_samples_do_not_meet(solver: str) -> None:
    for text in (NET, SETS):
        net = loaded(text, solver)
        (x,) = drawn(text)
        other = x.clone()
        other[0] *= 3
        found, changed = net(x), net(other)
        # one sample may be iterated for longer because of another, beyond its tolerance
        torch.testing.assert_close(changed[1:], found[1:], rtol=1e-8, atol=1e-8)
        assert (changed[0] - found[0]).abs().max() > 1e-2
        torch.testing.assert_close(net(x[:1]), found[:1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", TEXTS)
def test_exported_for_any_sizes(name: str) -> None:
    text = TEXTS[name]
    net = loaded(text, TIGHT[1])
    feed = drawn(text)
    ports = archc.graph(text.replace("SOLVER", TIGHT[1])).net.region.inputs
    shapes = [{i: Dim(a.name) for i, a in enumerate(port.type.axes) if a.size.name} for port in ports]
    exported = torch.export.export(net, feed, dynamic_shapes=shapes).module()
    feed = tuple(one[:2, :3] if text is SETS else one[:2] for one in feed)
    found, wanted = exported(*feed), net(*feed)
    for one, other in zip(*(all if isinstance(all, tuple | list) else (all,) for all in (found, wanted)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", TEXTS)
def test_compiled_with_its_gradient(name: str) -> None:
    text = TEXTS[name]
    net, feed = loaded(text, TIGHT[1]), drawn(text)
    torch._dynamo.reset()
    results = []
    for run in (net, torch.compile(net, fullgraph=True, backend="aot_eager")):
        found = run(*feed)
        total = sum(one.pow(3).sum() for one in (found if isinstance(found, tuple) else (found,)))
        results.append(torch.autograd.grad(total, list(net.parameters())))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


def test_the_gradient_of_a_number_is_that_of_its_equation() -> None:
    """cos z = z by c: the derivative of z = cos(c z) at c = 1 is -z sin z / (1 + sin z)."""
    text = (
        "net N (c: real[batch]) -> (z: real[batch]) { return fixpoint with z = c using SOLVER { return cos(c * z) } }"
    )
    c = torch.ones(1, dtype=torch.float64, requires_grad=True)
    z = loaded(text, TIGHT[0])(c)
    (slope,) = torch.autograd.grad(z.sum(), c)
    z = z.item()
    assert math.isclose(z, 0.7390851332151607, rel_tol=1e-12)
    assert math.isclose(slope.item(), -z * math.sin(z) / (1 + math.sin(z)), rel_tol=1e-10)
