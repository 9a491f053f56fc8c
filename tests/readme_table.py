"""The README's table of specs, taken from the specs themselves and from the tests that hold them to their papers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import groupby, takewhile
from pathlib import Path

import archc
from archc.ir.parameter import parameters
from archc.types.size import Size
from tests.specs.conftest import NAMES, ROOT

HEAD = "| spec | paper | lines | parameters | claims | parity |\n|---|---|---|---|---|---|\n"
TESTS = Path(__file__).parent / "specs"


def table() -> str:
    """A row for every spec outside the library, below one for its family."""
    found, rows = evidence(), [HEAD]
    for family, names in groupby(NAMES, lambda name: name.partition("/")[0]):
        rows += [f"| **{family}** | | | | | |\n", *(row(name, found.get(name, {})) for name in names)]
    return "".join(rows)


def row(name: str, tests: Mapping[str, list[str]]) -> str:
    """What a spec says of itself, and which tests hold it to that."""
    path = ROOT / f"{name}.arch"
    text, graph = path.read_text(encoding="utf-8"), archc.graph(path)
    cells = [
        f"[{path.stem}](specs/{name}.arch)",
        paper(text),
        str(len(text.splitlines())),
        count(graph),
        "; ".join(claim.text.removeprefix("claim ") for claim in graph.net.claims),
        ", ".join(f"[{'; '.join(words)}](tests/specs/{file})" for file, words in tests.items()),
    ]
    return f"| {' | '.join(cells)} |\n"


def paper(text: str) -> str:
    """The header from its second line on, which says whose it is; of more than three authors, the first."""
    header = [line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), text.splitlines())]
    return re.sub(r"([\w-]+)(?:, [\w -]+){3,} (?=\d{4})", r"\1 et al. ", " ".join(header[1:]))


def count(graph: archc.TypedGraph) -> str:
    """How many numbers a net learns at its defaults, in the sizes that its module asks for where it asks for any."""
    hypers = {symbol.name: symbol.default or 1 for symbol in graph.net.symbols if symbol.role == "hyper"}
    chosen = {name: Size.of(value) for name, value in hypers.items()}
    learned = (placed for placed in parameters(graph, hypers) if placed.parameter.role == "param")
    total = sum((placed.entries.substitute(chosen) for placed in learned), Size.of(0))
    return re.sub(r"\d{4,}", lambda digits: f"{int(digits[0]):,}", str(total)).replace("*", " ")


def evidence() -> dict[str, dict[str, list[str]]]:
    """By spec, the parity tests that name its path: the tests of each file, in words."""
    found: dict[str, dict[str, list[str]]] = {}
    for file in sorted(TESTS.glob("test_parity*.py")):
        for test in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                said = set(quoted(test))
                for name in NAMES:
                    family, _, stem = name.partition("/")
                    if f"{name}.arch" in said or said >= {family, f"{stem}.arch"}:
                        words = test.name.removeprefix("test_").replace("_", " ")
                        found.setdefault(name, {}).setdefault(file.name, []).append(words)
    return found


def quoted(test: ast.FunctionDef) -> Iterator[str]:
    """What a test has in quotes; where a name is put into a text, the text with each of the others."""
    plain = {node.value for node in ast.walk(test) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    yield from plain
    for node in ast.walk(test):
        if isinstance(node, ast.JoinedStr):
            for word in plain:
                yield "".join(part.value if isinstance(part, ast.Constant) else word for part in node.values)
