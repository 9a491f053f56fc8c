"""What `archc list` names, `archc explain` explains."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from archc.base.diagnostic import Diagnostic
from archc.cli.catalogue import Kind, entries, explanation, nearest_name
from archc.cli.commands import app
from archc.cli.reference import words


def archc(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ops", "softmax"),
        ("activations", "relu"),
        ("std", "std.edges.weight"),
        ("specs", "kan/kan.arch"),
    ],
)
def test_list(kind: str, name: str) -> None:
    lines = archc("list", kind).stdout.splitlines()
    assert name in [line.split(" ", 1)[0] for line in lines]
    assert lines == sorted(lines)


@pytest.mark.parametrize("kind", ["ops", "std", "activations", "checks", "specs"])
def test_everything_listed_is_explained(kind: Kind) -> None:
    for name, line in entries(kind):
        text = explanation(name)
        assert text, name
        assert line, name
        assert "\n" not in line


def test_every_code_is_explained() -> None:
    explanation("E0701")
    for code, rule in Diagnostic.catalogue.items():
        text = explanation(code.lower())
        assert text is not None
        assert text.startswith(f"{rule.severity} {code}: ")
        assert rule.__doc__, f"{code} has no explanation"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("e0701", "error E0701: this file exists, and archc did not write it\n\nThe output file exists"),
        ("softmax", "attributes:\n    over: axes\n\nexample:\n    (x: real[batch, d: 5])"),
        ("softmax", "formula:\n    (x: real[over]) -> (y: simplex(over)[over]) {\n        let top = max over: x"),
        ("pool_max", "    stride: int (may be left out)"),
        ("concat", "(x0: real[over: n0], x1: real[over: n1]) -> (y: real[over: n0 + n1])"),
        ("merge", "    source -> target: axes"),
        ("leaky_relu", "    slope: real = 0.01\n\nexample:\n    leaky_relu(x, slope = 0.01)\n    x |> leaky_relu"),
        ("ReLU", "relu: max(x, 0)"),
        ("sqrt", "domain:\n    from 0 to inf"),
        ("pow", "    a ^ b"),
        ("maximum", "    max(a, b)"),
        ("logsumexp", "    logsumexp d where keep: x"),
        ("uniform", "    param w: real[h: 64, d] = uniform(0.1)"),
        ("spline", "block spline(grid: int = 5"),
        ("std.edges.spline", "# A spline of the given order"),
        ("unused_hyper", "unused_hyper: A hyper-parameter that nothing reads."),
        ("kan/kan.arch", "net KAN("),
        ("layer", "## Layers and edges"),
        ("repeat", "## Choices and loops"),
        ("param", "## Statements"),
        ("claim", "## Claims"),
    ],
)
def test_explain(name: str, said: str) -> None:
    result = archc("explain", name)
    assert result.exit_code == 0
    assert said in result.stdout
    assert "```" not in result.stdout


def test_every_word_of_the_language_is_explained() -> None:
    assert {"layer", "repeat", "scan", "assume", "use"} <= set(words())
    unknown = [word for word in words() if explanation(word) is None]
    assert set(unknown) <= {"false", "true", "with"}


@pytest.mark.parametrize(
    ("name", "near"),
    [("sofmax", "softmax"), ("e070", "E0701"), ("splin", "spline"), ("layr", "layer"), ("kan.arch", "kan/kan.arch")],
)
def test_misspelt_names(name: str, near: str) -> None:
    assert explanation(name) is None
    assert nearest_name(name) == near
    result = archc("explain", name)
    assert result.exit_code == 2
    assert f"did you mean `{near}`?" in " ".join(result.stderr.replace("\u2502", " ").split())
    assert nearest_name("?") is None
