"""Every text gives a tree or findings, never an exception, and the findings point at the fault."""

from __future__ import annotations

import re
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.base.assets import specs_root
from archc.base.diagnostic import Diagnostic, Fault, Findings
from archc.base.span import Source
from archc.syntax import faults, tree
from archc.syntax.files import decode_source
from archc.syntax.parse import parse
from archc.syntax.unparse import format_source

SPECS = [path.read_text() for path in sorted(specs_root().rglob("*.arch"))]
HEAD = "net A (x: real[d]) -> (y: real[d]) {\n"


def found_in(text: str) -> list[Diagnostic]:
    findings = Findings()
    spec = parse(Source("spec.arch", text), findings)
    assert (spec is None) == bool(len(findings))
    for finding in findings:
        assert 0 <= finding.span.start <= finding.span.end <= len(text)
        assert finding.message
    return list(findings)


@pytest.mark.parametrize(
    ("body", "place", "code", "words"),
    [
        ("return f(x y)", "2:12", "E0100", "put a comma between `x` and `y`"),
        ("let y == x return y", "2:7", "E0100", "one `=`"),
        ("return if a = b { return 1 } else { return 2 }", "2:13", "E0100", "`==`"),
        ("return x ** 2", "2:11", "E0100", "a power is written `^`"),
        ("return layer(x, d => k)", "2:20", "E0100", "an arrow is written `->`"),
        ("return 2 * sum j: x", "2:16", "E0100", "`(sum j: ...)`"),
        ("return x[i, j]", "2:11", "E0100", "`axis: i`"),
        ("return", "3:1", "E0100", "expected an expression"),
        ("let y = x", "3:1", "E0100", "a body ends with `return`"),
        ("for i in x", "2:1", "E0100", "expected `return` or a statement"),
        ("return layer(x, (a + b) -> k)", "2:17", "E0100", "expected an axis"),
        ("return f(x", "2:9", "E0102", "`}` comes before `)`"),
        ("return f(x]", "2:11", "E0100", "expected `)`"),
        ("return x)", "2:9", "E0100", "expected `}`"),
        ('return f("ab)', "2:10", "E0102", "the line ends here"),
        ("return 9007199254740992", "2:8", "E0103", "larger than 9007199254740991"),
        ("return 1e999", "2:8", "E0103", "larger than any real"),
        ("return 1e-999", "2:8", "E0103", "smaller than any real but zero"),
        ("return " + "1" * 1000000, "2:8", "E0103", "1000000 characters"),
        ("let __class__ = x return x", "2:5", "E0104", "two underscores"),
        ("let " + "a" * 65 + " = x return x", "2:5", "E0104", "65 characters"),
        ("let fi\N{LATIN SMALL LIGATURE FI}lter = x return x", "2:7", "E0104", "U+FB01"),
        ("let \N{CYRILLIC SMALL LETTER A} = x return x", "2:5", "E0104", "CYRILLIC"),
        ("return x # a\rb", "2:13", "E0105", "carriage return"),
        ("return x # \N{RIGHT-TO-LEFT OVERRIDE}", "2:12", "E0105", "RIGHT-TO-LEFT OVERRIDE"),
        ("return x \x1b", "2:10", "E0105", "escape"),
        ("let y = x; return y", "2:10", "E0106", "need no separator"),
        ("return not !x", "2:12", "E0106", "write `not`"),
        ("return a && b", "2:10", "E0106", "write `and`"),
        ("return \N{MULTIPLICATION SIGN}", "2:8", "E0106", "U+00D7"),
    ],
)
def test_place_and_words(body: str, place: str, code: str, words: str) -> None:
    (finding,) = found_in(f"{HEAD}{body}\n}}\n")
    assert f"{finding.span.line}:{finding.span.column}" == place
    assert finding.code == code
    notes = " ".join(note.text for note in finding.notes)
    assert words in f"{finding.message} {finding.label} {finding.help} {notes}"


def test_nothing_but_definitions() -> None:
    (finding,) = found_in("def f(x): return x")
    assert str(finding) == "spec.arch:1:1: error[E0100]: unexpected `def`"
    assert finding.label == "expected `block`, `net` or `use`"
    assert "`block name" in finding.help


def test_faults_in_several_definitions() -> None:
    text = (
        HEAD + "return }\nblock b (x: real[] -> (y: real[]) {\nreturn x }\n" + HEAD + "return x }\n" + HEAD + "lot }\n"
    )
    assert [(found.code, found.span.line) for found in found_in(text)] == [("E0100", 2), ("E0102", 3), ("E0100", 8)]


@pytest.mark.parametrize(
    ("text", "line", "noticed"),
    [
        (HEAD + "    return x\n", 1, 3),
        (HEAD + "    let h = repeat 3 with h {\n        return x\n    return h\n}\n", 2, 5),
        (HEAD + "    return x\n\n" + HEAD + "    return x\n}\n", 1, 4),
        (HEAD + "    return f((x)\n}\n", 2, 3),
    ],
)
def test_unclosed_points_at_the_opener(text: str, line: int, noticed: int) -> None:
    (finding,) = found_in(text)
    assert finding.code == "E0102"
    assert finding.span.line == line
    assert finding.notes[0].span.line == noticed


def test_windows_lines() -> None:
    text = SPECS[0].replace("\n", "\r\n")
    findings = Findings()
    spec = parse(Source("spec.arch", text), findings)
    assert spec is not None
    assert "\r" not in format_source(spec)


def test_every_fault_explains_itself() -> None:
    own = [kind for kind in vars(faults).values() if isinstance(kind, type) and issubclass(kind, Diagnostic)]
    for kind in own:
        if kind is not Diagnostic:
            assert kind.__doc__
            assert re.fullmatch(r"E0\d{3}", kind.code)


# any text

TOKEN = re.compile(r"\s+|[A-Za-z_]\w*|\d+(?:\.\d+)?|->|\|>|>>|//|[=!<>]=|\S")
VOCABULARY = sorted({token for text in SPECS for token in TOKEN.findall(text)})


def mutate(text: str, random: Random) -> str:
    """Some characters or tokens removed, put in, replaced or exchanged."""
    parts = list(text) if random.random() < 0.5 else TOKEN.findall(text)
    by_character = len(parts) == len(text)
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(parts))
        part = chr(random.choice((random.randrange(32, 127), random.randrange(0x3000)))) if by_character else ""
        part = part or random.choice(VOCABULARY)
        action = random.randrange(4)
        if action == 0:
            parts[at] = ""
        elif action == 1:
            parts.insert(at, part)
        elif action == 2:
            parts[at] = part
        else:
            other = random.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
    return "".join(parts)


@settings(max_examples=200)
@given(st.integers(0, 2**64 - 1))
def test_mutations(seed: int) -> None:
    random = Random(seed)
    text = mutate(random.choice(SPECS), random)
    findings = Findings()
    spec = parse(Source("spec.arch", text), findings)
    if spec is None:
        assert found_in(text)
        return
    formatted = format_source(spec)
    again = parse(Source("spec.arch", formatted), findings)
    assert again == spec
    assert isinstance(again, tree.Spec)
    assert format_source(again) == formatted


@settings(max_examples=80)
@given(st.text())
def test_any_text(text: str) -> None:
    found_in(text)


@settings(max_examples=80)
@given(st.lists(st.sampled_from(VOCABULARY), max_size=30).map(" ".join))
def test_any_tokens(text: str) -> None:
    found_in(text)
    found_in(f"{HEAD} return {text} }}")


@settings(max_examples=100)
@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    with suppress(Fault):
        found_in(decode_source("spec.arch", data).text)
