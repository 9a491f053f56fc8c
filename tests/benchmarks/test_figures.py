"""The figures keep their bounds, a few rounds each; `python -m tests.benchmarks` measures all of them at length."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
import torch

from tests.benchmarks import figures, nets

pytestmark = pytest.mark.benchmark
Family = Callable[..., Iterator[figures.Figure]]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's account of a process")
# beside the tests of another worker one thread is what a net can count on; alone, all of them
IS_BUSY = "PYTEST_XDIST_WORKER" in os.environ
THREADS = 1 if IS_BUSY else figures.THREADS
# kernels of different kinds do not lose alike beside other work: there a bound only tells what has become much slower
SLACK = 1.25 if IS_BUSY else 1.0
COMPILER = pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a compiler")


def _check(one: figures.Figure, slack: float = 1.0) -> None:
    assert one.bound is not None
    assert one.value <= slack * one.bound, one


def test_a_check_of_ten_specs_takes_less_than_half_of_importing_torch() -> None:
    _check(figures.check_time(rounds=3))


def test_compile_time_grows_with_the_length_of_the_spec() -> None:
    _check(figures.compile_growth())


@LINUX
def test_ten_thousand_statements_compile_in_a_gibibyte() -> None:
    _check(figures.compile_memory())


@LINUX
def test_a_training_step_of_a_kan_takes_no_tensor_over_edges() -> None:
    eager = figures.step_memory("spline KAN")
    assert eager.value < 16  # one [batch, out, in] tensor alone would be 128 times the [batch, out] of the MLP


@COMPILER
def test_a_compiled_spline_kan_is_as_fast_as_an_mlp_of_as_many_parameters() -> None:
    for one in figures.spline_kan(rounds=7, threads=THREADS):
        _check(one)


@COMPILER
@pytest.mark.parametrize("family", [figures.chebyshev_kan, figures.rational_kan], ids=lambda family: family.__name__)
def test_other_families_are_faster_than_that_mlp(family: Family) -> None:
    for one in family(rounds=7, threads=THREADS):
        _check(one, SLACK)


def test_mgno_costs_at_most_twice_as_much_as_plain_convolutions() -> None:
    for one in figures.multigrid(rounds=5, threads=THREADS):
        _check(one, SLACK)


@COMPILER
def test_a_compiled_fno_costs_little_more_than_plain_convolutions() -> None:
    forward, _ = figures.fourier(rounds=7, threads=THREADS)
    _check(forward, SLACK)


@LINUX
def test_an_fno_makes_no_table_over_both_axes() -> None:
    assert (
        figures.step_memory("FNO").value < 2
    )  # one table over both axes and all modes would take 20 MiB in each of four layers


@LINUX
def test_a_v_cycle_keeps_little_more_than_its_activations() -> None:
    # five times the convolutions of a plain layer, most of them on coarser grids
    assert figures.step_memory("MgNO, channels last,").value < 4


def test_the_set_classifier_by_hand_is_as_large_as_the_generated_one() -> None:
    spec, hand = nets.set_classifier(), nets.HandWritten()
    x = torch.rand(2, 5, 3)
    assert nets.size(spec) == nets.size(hand)
    assert spec(x).shape == hand(x).shape


def test_an_rgcn_gathers_products_and_not_weights() -> None:
    for one in figures.rgcn(rounds=5, threads=THREADS):
        _check(one, SLACK)


def test_a_linear_recurrence_is_faster_with_its_steps_joined() -> None:
    # products of small matrices lose more to a busy second core than they gain from it
    for one in islice(figures.linear_recurrence(rounds=5, threads=1), 2):
        _check(one, SLACK)


@LINUX
@pytest.mark.parametrize("case", ["Chebyshev KAN", "group rational", "RGCN", "LRU, joined steps,"])
def test_a_step_takes_no_more_memory_than_what_it_is_compared_with(case: str) -> None:
    assert figures.step_memory(case).value < 3


def test_the_recurrence_with_joined_steps_is_the_one_without() -> None:
    joined, steps = (nets.lru(is_parallel=is_parallel) for is_parallel in (True, False))
    steps.load_state_dict(joined.state_dict())
    x = torch.randn(2, 100, 64)
    torch.testing.assert_close(joined(x), steps(x), rtol=1e-4, atol=1e-4)


def test_the_rgcn_by_hand_is_the_generated_one() -> None:
    spec, hand = nets.rgcn(), nets.HandWrittenRGCN()
    state = dict(spec.named_parameters())
    with torch.no_grad():
        for weight, own in zip(hand.weights, state["W"], strict=True):
            weight.weight.copy_(own.mT)
        hand.own.weight.copy_(state["layer_weight"])
        hand.own.bias.copy_(state["layer_bias"])
    x, graph = torch.rand(nets.NODES, 32), nets.edges()
    torch.testing.assert_close(spec(x, *graph), hand(x, *graph), rtol=1e-4, atol=1e-5)
