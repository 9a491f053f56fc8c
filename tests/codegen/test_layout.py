"""Generated text is as the formatter lays it out, and imports what it uses, whatever the names of a spec are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import archc
from archc.base.assets import specs_root
from archc.codegen.layout import parse, statement

KIND = r"(?:real|int|bool|complex|(?:index|simplex|point)\([^)]*\))"
DECLARATIONS = (
    r"\b(?:net|block|let|param|const|state|share|with)\s+\(?(\w+(?:, \w+)*)",
    rf"(\w+)\s*:\s*{KIND}\[",
    rf"{KIND}\[([^\]]*)\]",
    r"\blet \w+\[([^\]]*)\]",
    r"\b(?:sum|mean|max|min|prod|logsumexp|any|all) (\w+(?:, \w+)*)",
    r"->\s*(\w+)\s*:\s",
)
WORDS = {"size", "where", "with", "over", "expand", "min", "max", "real", "int", "bool", "complex", "index", "simplex"}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LENGTHS = (3, 8, 15, 24)
SPECS = sorted(path for path in specs_root().rglob("*.arch") if path.parent.name != "std")[::2]

PORTS = "(x: real[b, d: 3], m: bool[b, d: 3]) -> (y: real[b, d: 3])"
NETS = {
    "operators_alone": f"net A {PORTS} {{ return 2 * x }}",
    "functional_alone": f"net A {PORTS} {{ return softplus(x) }}",
    "torch_alone": f"net A {PORTS} {{ return where(m, x, -1e30) }}",
    "large_numbers": f"net A {PORTS} {{ return x * 1e16 + 2.5e300 }}",
    "a_maximum_over_edges": "net A (x: real[b, n: 9], src: index(n)[e], dst: index(n)[e]) -> (y: real[b, n])"
    " { let y[b, n] = max e where dst == n: x[n: src]  return y }",
    "a_random_wiring": "net A (inputs: real[b, features: 12]) -> (y: real[b, hidden: 24])"
    " { return inputs |> layer(features -> hidden: 24, wiring = random(0.25, 7)) }",
}


def lengthened(text: str, count: int) -> str:
    """A spec in which names that it declares have `count` more letters, but for those that may be of the library."""
    code = re.sub(r'#.*|"[^"]*"', "", text)
    found = {word for rule in DECLARATIONS for group in re.findall(rule, code) for word in re.findall(r"\w+", group)}
    uses = " ".join(re.findall(r"(?m)^use .*", text))
    used = re.findall(r"[(,]\s*(\w+)\s*=[^=]", code) + re.findall(r"\w+", uses)
    names = {name for name in found if not name.isdigit()} - set(used) - WORDS
    return re.sub(r"\b\w+\b", lambda word: word[0] + LETTERS[:count] if word[0] in names else word[0], text)


def assert_tidy(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    for command in (["format", "--diff"], ["check", "--select", "E4,E7,E9,F,I,W"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--target-version", "py311", "."]
        ended = subprocess.run(ruff, cwd=folder, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_long_names_move_lines_as_the_formatter_moves_them(tmp_path: Path) -> None:
    texts = {}
    for place, path in enumerate(SPECS):
        count = LENGTHS[place % len(LENGTHS)]
        try:
            texts[f"{path.stem}_{count}"] = archc.build(lengthened(path.read_text(encoding="utf-8"), count))
        except archc.ArchError:
            continue  # the library names an axis of this spec
    assert len(texts) > 12
    assert_tidy(tmp_path, texts)


def test_small_nets_are_tidy(tmp_path: Path) -> None:
    assert_tidy(tmp_path, {name: archc.build(text) for name, text in NETS.items()})


NAME = "some_name_that_is_not_short"
EXPRESSIONS = (
    f"({NAME} + x).reshape(-1, {NAME}) @ {NAME}[..., None, None].mT",
    f"{NAME}.repeat_interleave({NAME}, 1).repeat_interleave({NAME}, 2).flatten(1)",
    f"self.{NAME}[..., None, None, {NAME} // 2, 2 * {NAME}]",
    f"nn.ModuleList(Block({NAME}={NAME}, other=3) for _ in range({NAME}))",
    f"torch.rand({NAME}, {NAME}, generator=torch.Generator().manual_seed(7)) < 0.25",
    f"part.new_full(({NAME}, 3), -torch.inf).scatter_reduce(0, {NAME}, {NAME}, 'amax')",
    f"{NAME} if {NAME} > 3 and not self.training else ({NAME} if {NAME} else {NAME})",
    f"{NAME} * x ** 2 - -{NAME} ** {NAME} + ~{NAME} // (2 * ({NAME} + 1)) - F.relu({NAME})",
    f"x[:, {NAME} + 1 : 2 * {NAME} : 2, ::{NAME}].sum((-1, -2))",
    f"(({NAME}, {NAME}), ({NAME},), [{NAME}, 1], {NAME}[{NAME}][{NAME}])",
    f"-({NAME} @ {NAME} @ {NAME} @ {NAME})",
    f"{NAME}.{NAME}.{NAME}.{NAME}",
    f"self.{NAME}({NAME}, {NAME}, {NAME})",
    f"torch._check({NAME} + {NAME} == {NAME} + {NAME}, lambda: '{' '.join([NAME] * 3)}')",
)
PREFIXES = ("return ", "value = ", "self.value = ")


@pytest.mark.parametrize("skip", ["false", "true"], ids=["kept", "from_one_line"])
def test_expressions_break_where_the_formatter_breaks_them(tmp_path: Path, skip: str) -> None:
    """Wherever a statement begins, which says how much room is left; also where no comma says that it is broken."""
    lines: list[str] = []
    for indent in range(0, 72, 4):
        lines.append(" " * indent + ("if self.training:" if indent else "def f(self, x):"))
        for text in EXPRESSIONS:
            tree = parse(text)
            lines += [line for prefix in PREFIXES for line in statement(prefix, tree, indent + 4)]
            if isinstance(tree, ast.Call):
                lines += statement("", tree, indent + 4)
                lines += statement("a, b = " if indent < 40 else "a = ", tree, indent + 4)
    (tmp_path / "all.py").write_text("\n".join(lines) + "\n")
    options = ["--config", f"format.skip-magic-trailing-comma={skip}"]
    ruff = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", *options, "."]
    ended = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout
