"""Every entry of the registries through the whole compiler: the formula's value against the lowering, and its slope."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from archc.driver import build, check, graph
from archc.ops.operation import Operation, Pointwise, Reduction, Sample
from archc.ops.registries import OPERATIONS, POINTWISE, REDUCTIONS
from archc.run.verify import verify

RIGHT = [(entry, sample) for entry in OPERATIONS for sample in entry.samples if sample.code is None]
WRONG = [(entry, sample) for entry in OPERATIONS for sample in entry.samples if sample.code is not None]


def name(value: object) -> str:
    return value.body if isinstance(value, Sample) else getattr(value, "word", str(value))


def agrees(spec: str) -> None:
    """The generated module computes what the graph means, forward and backward, at two bindings of sizes."""
    report = verify(graph(spec), build(spec), regimes=("primes", "ones"))
    assert report.ok, [trial.fault or trial.comparisons for trial in report.trials if not trial.ok]


@pytest.mark.parametrize(("operation", "sample"), RIGHT, ids=name)
def test_lowering_computes_the_formula(operation: type[Operation], sample: Sample) -> None:
    assert operation.word in sample.body
    agrees(sample.spec)


@pytest.mark.parametrize(("operation", "sample"), RIGHT, ids=name)
def test_whole_numbers_are_real_where_the_formula_is(operation: type[Operation], sample: Sample) -> None:
    assert operation.word in sample.body
    spec = replace(sample, inputs=re.sub(r"\b(real|simplex\(\w+\))\[", "int[", sample.inputs)).spec
    if check(spec):
        return
    typed = graph(spec)
    report = verify(typed, build(spec), regimes=("primes", "ones"))
    assert not any(trial.fault for trial in report.trials), [trial.fault for trial in report.trials]
    wrong = {one.name for trial in report.trials for one in trial.comparisons if not one.ok}
    # many whole numbers are equal, and torch may choose another of equal entries
    assert wrong <= {one.name for one in typed.net.outputs if one.type.kind.word == "index"}


@pytest.mark.parametrize(("operation", "sample"), WRONG, ids=name)
def test_wrong_uses_are_told_apart(operation: type[Operation], sample: Sample) -> None:
    assert operation.word in sample.body
    found = check(sample.spec)
    assert [one.code for one in found] == [sample.code], [str(one) for one in found]


@pytest.mark.parametrize("function", POINTWISE, ids=name)
def test_pointwise_function_in_a_net(function: type[Pointwise]) -> None:
    reach = 1.5 * max(2.0, *map(abs, function.kinks)) if function.kinks else 3.0
    low, high = max(function.low, -reach) + 0.01, min(function.high, reach) - 0.01
    inside = f"({(low + high) / 2} + {(high - low) / 2} * {{}})"
    ports, operands = [], []
    for at in range(function.arity or 3):
        takes = function.takes[min(at, len(function.takes) - 1)]
        ports.append(f"x{at}: {'int' if takes == 'int' else 'real'}[n, d]")
        texts = {"bool": f"x{at} > 0", "int": f"x{at} + 1", "real": inside.format(f"x{at}")}
        operands.append(texts[takes])
    kind = "bool" if function.result == "bool" else "real"
    agrees(f"net Sample({', '.join(ports)}) -> (y: {kind}[n, d]) {{ return {_written(function, operands)} }}")


SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^", "floordiv": "//", "mod": "%"}
SIGNS |= {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "and", "or": "or"}
PREFIXES = {"neg": "-", "not": "not "}


def _written(function: type[Pointwise], operands: list[str]) -> str:
    """As the language writes it: an operator between its operands, a sign before its one, or a call."""
    if function.word in SIGNS:
        return f" {SIGNS[function.word]} ".join(f"({operand})" for operand in operands)
    if function.word in PREFIXES:
        return f"{PREFIXES[function.word]}({operands[0]})"
    return f"{function.word}({', '.join(operands)})"


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=name)
@pytest.mark.parametrize(
    "body",
    [
        "{word} d: {x}",
        "{word} n, d: {x}",
        "{word} d where d < 3: {x}",
        "{word}({x}, over = d)",
        "{word}({x}, over = (n, d))",
    ],
)
def test_reduction_in_a_net(reduction: type[Reduction], body: str) -> None:
    kind, operand = ("bool", "(x > 0)") if reduction.result == "bool" else ("real", "(2 * x)")
    axes = "batch" if "n, d" in body else "n, batch"
    text = body.format(word=reduction.word, x=operand)
    agrees(f"net Sample(x: real[n, batch, d: 5]) -> (y: {kind}[{axes}]) {{ return {text} }}")
