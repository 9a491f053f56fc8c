"""What a user is told: every spec in `cases/` beside the exact text it gives, and inputs too large or strange to keep.

`ARCHC_UPDATE_CASES=1 pytest tests/test_cases.py` writes the texts anew; read the difference before keeping it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from pkgutil import walk_packages

import pytest

import archc
import archc.elaborate.frame
from archc.base.diagnostic import ArchError, Diagnostic
from archc.base.limits import LIMITS
from archc.base.render import render
from archc.driver import build, check, graph

CASES = Path(__file__).parent / "cases"
FILES = sorted(path.relative_to(CASES) for path in (*CASES.glob("*.arch"), *CASES.glob("*/main.arch")))
UPDATE = "ARCHC_UPDATE_CASES" in os.environ

ELSEWHERE = {
    "E0210": "asked of a command, not of a spec: test_a_net_must_be_chosen",
    "E0211": "asked of a command, not of a spec: test_a_net_must_be_known",
    "E0212": "asked of a command, not of a spec: test_a_hyper_parameter_must_be_known",
    "E0214": "asked of a command, not of a spec: test_a_hyper_parameter_keeps_its_kind",
    "E0001": "bytes that no editor keeps: test_bytes_that_are_no_text",
    "E0999": "the compiler's own fault: tests/base/test_render.py",
    "E0701": "a file is written: tests/codegen/test_write.py",
    "E0702": "a file is written: tests/codegen/test_write.py",
    "E0703": "a file is written: tests/codegen/test_write.py",
    "E0704": "a file is written: tests/codegen/test_write.py",
    "E0901": "a large file: test_a_file_too_large",
    "E0902": "a deep file: test_nesting_too_deep",
    "E0903": "a large file: test_too_many_tokens",
    "E0906": "a large net: test_too_many_nodes",
    "E0909": "many files: test_too_many_files",
    "E0910": "many faults: test_a_report_stops_after_a_hundred",
}
"""Codes without a spec in `cases/`, and where they are tested."""


@pytest.fixture(autouse=True)
def _in_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are shown as they are given, relative to the folder one works in."""
    monkeypatch.chdir(CASES)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.as_posix().removesuffix(".arch"))
def test_case(file: Path) -> None:
    found = render(check(file), "text", color=False)
    expected = file.with_suffix(".expect")
    if UPDATE:
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")
    accepts = file.parts[0].startswith("accepted")
    assert accepts == (found == "")
    code = file.parts[0].partition("_")[0]
    assert f"[{code}]" in found or code not in Diagnostic.catalogue


PROMISED = (
    "E0312_inner_size_of_a_contraction",
    "E0201_misspelt_operation",
    "E0321_heads_do_not_divide",
    "E0313_same_names_bound_to_other_sizes",
    "E0312_permuted_output_sizes",
    "E0313_concat_declared_other_symbol",
    "E0102_unclosed_brace",
    "accepted_commuted_size",
)
"""The faults that a shape checker without names and symbols does not see, and one that is none."""


def test_the_promised_faults_are_among_the_cases() -> None:
    assert {f"{name}.arch" for name in PROMISED} <= {path.name for path in FILES}
    (found,) = check(Path("E0102_unclosed_brace.arch"))
    assert found.span.source.text[found.span.start] == "{"


def test_every_expected_text_belongs_to_a_spec() -> None:
    kept = {path.relative_to(CASES).with_suffix(".arch") for path in CASES.rglob("*.expect")}
    assert kept == set(FILES)


def test_every_code_has_a_case_or_a_reason() -> None:
    for module in walk_packages(archc.__path__, "archc."):
        if not module.name.startswith("archc.run"):  # torch is slow to load, and finds nothing wrong with a spec
            import_module(module.name)
    texts = [path.read_text(encoding="utf-8") for path in CASES.rglob("*.expect")]
    own = {code for code, kind in Diagnostic.catalogue.items() if kind.__module__.startswith("archc.")}
    shown = {code for code in own if any(f"[{code}]" in text for text in texts)}
    assert own - shown == ELSEWHERE.keys()
    assert not shown & ELSEWHERE.keys()


def test_at_most_two_findings_for_one_fault() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in CASES.glob("*.expect")}
    counts = {name: text.count("]: ") for name, text in texts.items() if not name.startswith("several")}
    assert {name: count for name, count in counts.items() if count > 2} == {}


def test_sizes_are_told_in_the_language() -> None:
    for path in CASES.rglob("*.expect"):
        messages = [line for line in path.read_text(encoding="utf-8").split("\n") if "]: " in line]
        assert not any("?" in line for line in messages), path.name


# Inputs too large or strange to keep as files


def codes(found: tuple[Diagnostic, ...]) -> list[str]:
    return [one.code for one in found]


def places(found: tuple[Diagnostic, ...]) -> list[tuple[str, int, int]]:
    return [(one.code, one.span.line, one.span.column) for one in found]


@pytest.fixture
def quickly() -> Iterator[None]:
    """Two seconds, three times over for a slow machine."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 6


def test_an_empty_file() -> None:
    assert places(check("")) == [("E0101", 1, 1)]
    assert places(check("# nothing yet\n")) == [("E0101", 1, 1)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"net N\n\xff\xfe", "not UTF-8 at byte 6, line 2"),
        (b"net\0", "a NUL character at byte 3, line 1"),
        ("\ufeffnet N".encode(), "a byte order mark at byte 0, line 1"),
        ("net N".encode("utf-16"), "a byte order mark at byte 0, line 1"),
    ],
    ids=["bytes", "nul", "mark", "utf-16"],
)
def test_bytes_that_are_no_text(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.arch"
    path.write_bytes(data)
    (found,) = check(path)
    assert (found.code, found.message) == ("E0001", said)


def test_a_file_too_large(tmp_path: Path) -> None:
    path = tmp_path / "spec.arch"
    with path.open("wb") as file:
        file.truncate(2**30)
    assert codes(check(path)) == ["E0901"]


@pytest.mark.usefixtures("quickly")
def test_nesting_too_deep() -> None:
    text = "net N(x: real[d]) -> (y: real[d]) {\n    return " + "(" * 90_000 + "x" + ")" * 90_000 + "\n}\n"
    assert places(check(text)) == [("E0902", 2, 12 + LIMITS.depth - 1)]
    blocks = "net N(x: real[d]) -> (y: real[d]) { return " + "if true { return " * 10_000 + "x\n"
    assert codes(check(blocks)) == ["E0902"]


@pytest.mark.usefixtures("quickly")
def test_one_expression_of_many_terms() -> None:
    terms = " + ".join(["x"] * 30_000)
    assert codes(check(f"net N(x: real[d]) -> (y: real[d]) {{ return {terms} }}")) == []


@pytest.mark.usefixtures("quickly")
def test_too_many_tokens() -> None:
    terms = " + ".join(["x"] * 100_001)
    assert codes(check(f"net N(x: real[d]) -> (y: real[d]) {{ return {terms} }}")) == ["E0903"]


@pytest.mark.parametrize(
    ("size", "code"),
    [("9" * 1_000_000, "E0103"), ("1e999", "E0103"), ("0", "E0322"), ("-3", "E0322"), ("nan", "E0201")],
    ids=["digits", "infinite", "zero", "negative", "nan"],
)
@pytest.mark.usefixtures("quickly")
def test_sizes_that_are_none(size: str, code: str) -> None:
    found = check(f"net N(x: real[batch, d: 4]) -> (y: real[batch, k: {size}]) {{ return x |> layer(d -> k) }}")
    assert places(found) == [(code, 1, 51)]


@pytest.mark.usefixtures("quickly")
def test_squarings_of_a_size() -> None:
    size = "n"
    for _ in range(60):
        size = f"({size})^2"
    found = check(f"net N(n: int = 9)(x: real[d: {size}]) -> (y: real[d: {size}]) {{ return x }}")
    assert set(codes(found)) == {"E0904"}
    grows = "net N(x: real[d]) -> (y: real[d]) {\n" + "\n".join(
        "    let h = h |> layer(d -> d: size(h, d) * size(h, d))" if at else "    let h = x |> layer(d -> d: 9)"
        for at in range(60)
    )
    (first,) = check(grows + "\n    return h |> layer(d -> d: 3)\n}\n")
    assert (first.code, first.span.line) == ("E0904", 7)


NESTED = "net N(x: real[d]) -> (y: real[d]) {{\n    return {open}x |> layer(d -> d){close}\n}}\n"


@pytest.mark.usefixtures("quickly")
def test_loops_inside_loops() -> None:
    once = NESTED.format(open="repeat 10 with x { return " * 10, close=" }" * 10)
    assert codes(check(once)) == []
    named = NESTED.format(open="".join(f"repeat 10 as l{at} with x {{ return " for at in range(10)), close=" }" * 10)
    assert codes(check(named)) == ["E0906"]


@pytest.mark.usefixtures("quickly")
def test_too_many_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archc.elaborate.frame, "LIMITS", replace(LIMITS, nodes=1_000))
    doubling = "\n".join(
        f"block b{at}(x: real[]) -> (y: real[]) {{ return b{at - 1}(x) + b{at - 1}(x) }}" for at in range(1, 30)
    )
    base = "block b0(x: real[]) -> (y: real[]) { param w: real[]  return w * x }\n"
    net = "\nnet N(x: real[d]) -> (y: real[d]) { return x |> layer(d -> d, edge = b29) }\n"
    assert codes(check(base + doubling + net)) == ["E0906"]


@pytest.mark.usefixtures("quickly")
def test_too_many_instances() -> None:
    base = "block b0 (x: real[n]) -> (y: real[n]) { return x |> layer(n -> n) }\n"
    levels = (
        f"block b{at} (x: real[n]) -> (y: real[n]) {{ return {' + '.join([f'b{at - 1}(x)'] * 10)} }}\n"
        for at in range(1, 10)
    )
    net = "net N (x: real[n: 3]) -> (y: real[n: 3]) { return b9(x) }\n"
    assert codes(check(base + "".join(levels) + net)) == ["E0906"]
    shared = "block b{} (x: real[n]) -> (y: real[n]) {{ share f = b{}  return {} }}\n"
    uses = " + ".join(["f(x)"] * 10)
    assert codes(check(base + "".join(shared.format(at, at - 1, uses) for at in range(1, 10)) + net)) == []


@pytest.mark.usefixtures("quickly")
def test_a_report_stops_after_a_hundred() -> None:
    lines = "\n".join(f"    let a{at} = missing{at}" for at in range(10_000))
    found = check(f"net N(x: real[d]) -> (y: real[d]) {{\n{lines}\n    return x\n}}\n")
    assert codes(found).count("E0201") == 10_000
    shown = render(found, "text")
    assert shown.count("error[") == LIMITS.diagnostics
    assert f"{len(found) - LIMITS.diagnostics} more" in shown


def test_a_chain_of_many_statements() -> None:
    lines = "\n".join("    let h = tanh(h + x)" for _ in range(20_000))
    assert codes(check(f"net N(x: real[d]) -> (y: real[d]) {{\n    let h = x\n{lines}\n    return h\n}}\n")) == []


def test_a_ladder_of_diamonds() -> None:
    lines = "\n".join("    let h = tanh(h) + sin(h)" for _ in range(200))
    assert codes(check(f"net N(x: real[d]) -> (y: real[d]) {{\n    let h = x\n{lines}\n    return h\n}}\n")) == []


@pytest.mark.usefixtures("quickly")
def test_equalities_made_to_explode() -> None:
    symbols = [f"s{at}" for at in range(30)]
    whole = " * ".join(f"({one} + 1)" for one in symbols)
    hypers = ", ".join(f"{one}: int = 2" for one in symbols)
    found = check(f"net N({hypers})(x: real[d: {whole}]) -> (y: real[d: {whole}]) {{ return x }}")
    assert set(codes(found)) <= {"E0904", "E0313"}
    circle = ", ".join(f"{one} * {two} == {two} + {one}" for one, two in pairwise(symbols))
    found = check(f"net N({hypers})(x: real[d: s0]) -> (y: real[d: s29]) where {circle} {{ return x }}")
    assert set(codes(found)) <= {"E0904", "E0313", "E0321"}


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    "size", ["().__class__.__bases__", "__import__('os').system('touch canary')", 'f"{x}"', "lambda: 0", "[1][0]"]
)
def test_a_size_is_no_python(size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = check(f"net N(x: real[d: {size}]) -> (y: real[d: {size}]) {{ return x }}")
    assert found
    assert set(codes(found)) <= {"E0100", "E0104", "E0106", "E0201", "E0332"}
    assert not list(tmp_path.iterdir())


# Files that are none, or that lie elsewhere


def spec_using(folder: Path, path: str) -> Path:
    main = folder / "main.arch"
    main.write_text(f'use "{path}"\nnet N(x: real[d]) -> (y: real[d]) {{ return x }}\n', encoding="utf-8")
    return main


@pytest.mark.parametrize("path", ["..\\secret.arch", "C:secret.arch", "/secret.arch", "a/../../b.arch", "b.arch "])
def test_a_path_that_leads_out(path: str, tmp_path: Path) -> None:
    assert places(check(spec_using(tmp_path, path))) == [("E0601", 1, 5)]


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_link_that_leads_out(is_folder: bool, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.arch").write_text("hush", encoding="utf-8")
    (inside / "link.arch").symlink_to(outside / "secret.arch")
    (inside / "folder").symlink_to(outside)
    main = spec_using(inside, "folder/secret.arch" if is_folder else "link.arch")
    (found,) = check(main)
    assert found.code == "E0601"
    assert "hush" not in render([found], "text")
    assert "outside" not in render([found], "text")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


@pytest.mark.parametrize("make", [a_folder, a_pipe, a_socket])
def test_what_is_no_file_is_not_waited_for(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "strange.arch")
    assert codes(check(tmp_path / "strange.arch")) == ["E0602"]
    assert places(check(spec_using(tmp_path, "strange.arch"))) == [("E0602", 1, 5)]


def test_too_many_files(tmp_path: Path) -> None:
    for at in range(70):
        (tmp_path / f"f{at}.arch").write_text(f'use "f{at + 1}.arch" as next\n', encoding="utf-8")
    (tmp_path / "f70.arch").write_text("", encoding="utf-8")
    assert "E0909" in codes(check(spec_using(tmp_path, "f0.arch")))


def test_a_file_used_by_two_is_read_once(tmp_path: Path) -> None:
    for at in range(30):
        text = "".join(f'use "{side}{at + 1}.arch" as {side}\n' for side in "ab")
        for side in "ab":
            body = f"block {side}{at}(x: real[]) -> (y: real[]) {{ return x }}\n"
            (tmp_path / f"{side}{at}.arch").write_text(text + body, encoding="utf-8")
    for side in "ab":
        body = f"block {side}30(x: real[]) -> (y: real[]) {{ return x }}\n"
        (tmp_path / f"{side}30.arch").write_text(body, encoding="utf-8")
    assert codes(check(spec_using(tmp_path, "a0.arch"))) == []


@pytest.mark.parametrize("strange", ["\r", "\x1b[2J", "\u202e", "\u2028"])
@pytest.mark.parametrize("text", ["# note {} more\n", 'use "a{}b.arch"\n', "block a{}b () -> () {{ return }}\n"])
def test_characters_that_hide_the_text(strange: str, text: str) -> None:
    found = check(text.format(strange) + "net N(x: real[d]) -> (y: real[d]) { return x }\n")
    assert places(found)[0] == ("E0105", 1, text.index("{") + 1)
    assert strange not in render(found, "text")


def test_escapes_in_a_file_name(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m.arch"
    path.write_text("net", encoding="utf-8")
    assert "\x1b" not in render(check(path), "text")


# Questions of commands

TWO = """
net First(a = 1)(x: real[d: a]) -> (y: real[d: a]) { return x }
net Other(x: real[d]) -> (y: real[d]) { return x }
"""


def refused(ask: Callable[[], object]) -> Diagnostic:
    with pytest.raises(ArchError) as error:
        ask()
    (found,) = error.value.diagnostics
    return found


def test_a_net_must_be_chosen() -> None:
    found = refused(lambda: graph(TWO))
    assert (found.code, found.help) == ("E0210", "choose one: First, Other")


def test_a_net_must_be_known() -> None:
    found = refused(lambda: graph(TWO, net="Frist"))
    assert (found.code, found.help) == ("E0211", "did you mean `First`?")


def test_a_hyper_parameter_must_be_known() -> None:
    found = refused(lambda: graph(TWO, net="First", b=2))
    assert (found.code, found.span.line) == ("E0212", 2)


CHOSEN = """
net N (a = 1, p = 0.5, f = true, act: activation = relu, e: edge = weight, at: choice(zero, one) = zero)
        (x: real[d: a]) -> (y: real[d: a]) {
    return if f { return p * act(x) } else { return x |> layer(d -> d, edge = e) }
}
"""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("a", "wide", "a whole number from 0 to 9007199254740991, not `wide`"),
        ("a", 2**60, "a whole number"),
        ("a", -1, "a whole number"),
        ("a", True, "not `true`"),
        ("p", "much", "a finite number"),
        ("p", float("nan"), "a finite number"),
        ("f", 1, "`true` or `false`, not `1`"),
        ("act", "sigmod", "a function of one number, not `sigmod`"),
        ("act", "softmax", "a function of one number"),
        ("act", "add", "a function of one number"),
        ("act", "N", "a function of one number"),
        ("e", "weigth", "an edge, not `weigth`"),
        ("at", "zeros", "one of `zero`, `one`, not `zeros`"),
    ],
)
def test_a_hyper_parameter_keeps_its_kind(name: str, value: object, said: str) -> None:
    found = refused(lambda: graph(CHOSEN, **{name: value}))  # type: ignore[arg-type]
    assert (found.code, found.span.line) == ("E0214", 2)
    assert found.message.startswith(f"`{name}` of `N` takes ")
    assert said in found.message
    assert found.help in ("", "did you mean `sigmoid`?", "did you mean `weight`?", "did you mean `zero`?")


def test_a_hyper_parameter_may_be_a_function_or_a_block() -> None:
    assert "torch.tanh" in build(CHOSEN, act="tanh")
    assert "class Prelu" in build(CHOSEN, act="prelu")
    assert "cos" in build(CHOSEN, e="cos", f=False)
