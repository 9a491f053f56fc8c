"""An axis that a block introduces is another one than the caller's, whatever both are called."""

from __future__ import annotations

import pytest

from archc.driver import build, graph
from archc.run.verify import verify

BLOCK = """block total(over: axes) (x: real[over]) -> (y: real[over]) {
    let above[over, s: size(over)] = where(s <= over, x[over: s], 0)
    let y[over] = (sum s: above) - (sum m where m < over: x[over: m])
    return y
}
"""


def agrees(spec: str) -> None:
    report = verify(graph(spec), build(spec), regimes=("primes", "ones"))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


@pytest.mark.parametrize("axis", ["t", "m", "s", "over", "x", "y", "above"])
@pytest.mark.parametrize("other", ["", "n", "m", "s"])
@pytest.mark.parametrize("use", ["total", "cumsum"])
def test_axes_of_a_text_are_not_the_callers(axis: str, other: str, use: str) -> None:
    axes = ", ".join(name for name in dict.fromkeys((other, axis)) if name)
    agrees(f"{BLOCK}net N(z: real[{axes}]) -> (y_out: real[{axes}]) {{ return {use}(z, over = {axis}) }}")


@pytest.mark.parametrize("axes", ["e, top", "x, e"])
def test_values_of_a_formula_are_not_the_callers_axes(axes: str) -> None:
    agrees(f"net N(z: real[n, {axes}]) -> (p: real[n, {axes}]) {{ return softmax(z, over = ({axes})) }}")
