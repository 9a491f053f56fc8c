"""The report of diagnostics: its exact text, and what every format promises."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import archc.base.render as report
from archc.base.diagnostic import Diagnostic, Note
from archc.base.interchange import CompilerFault
from archc.base.render import Format, render, summary
from archc.base.span import Source, Span

FORMATS: tuple[Format, ...] = ("text", "json", "sarif", "github")


class SizesDiffer(Diagnostic):
    """Two sizes differ.

    Write the same one twice.
    """

    code = "E9801"
    title = "`layer` maps axis `d` of size {given}, but `h` has d of size {found}"


class Suspicious(Diagnostic):
    """Something looks odd."""

    code = "E9802"
    title = "odd"
    severity = "warning"


MIXER = Source(
    "specs/mixer.arch",
    "net A (x: real[d]) -> (y: real[d]) {\n"
    + "\n" * 7
    + "    let h = concat(a, b, over = d)\n"
    + "\n\n"
    + "    let y = h |> layer(d: 64 -> k: 10)\n}\n",
)


def at(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def sizes_differ(span: Span, **rest: Any) -> Diagnostic:
    return SizesDiffer(span, given=64, found=128, **rest)


def text_of(diagnostic: Diagnostic) -> list[str]:
    return render([diagnostic], "text").split("\n")[:-3]


def test_layout_of_the_house() -> None:
    diagnostic = sizes_differ(
        at(MIXER, "d: 64"),
        label="64 here",
        notes=[Note(at(MIXER, "concat(a, b, over = d)"), "128 = 64 + 64 comes from here")],
        help="write `d -> k: 10`, or project first",
    )
    assert render([diagnostic], "text") == (
        "error[E9801]: `layer` maps axis `d` of size 64, but `h` has d of size 128     specs/mixer.arch:12:24\n"
        "12 |     let y = h |> layer(d: 64 -> k: 10)\n"
        "   |                        ^^^^^ 64 here\n"
        " 9 |     let h = concat(a, b, over = d)\n"
        "   |             ---------------------- 128 = 64 + 64 comes from here\n"
        "help: write `d -> k: 10`, or project first\n"
        "\n"
        "1 error in 1 file\n"
    )


def test_a_second_mark_on_the_same_line_does_not_repeat_the_line() -> None:
    notes = [Note(at(MIXER, "k: 10"), "and there")]
    assert text_of(sizes_differ(at(MIXER, "d: 64"), label="here", notes=notes))[1:] == [
        "12 |     let y = h |> layer(d: 64 -> k: 10)",
        "   |                        ^^^^^ here",
        "   |                                 ----- and there",
    ]


def test_a_note_in_another_file_says_which() -> None:
    other = Source("specs/std/norm.arch", "block norm\n")
    lines = text_of(sizes_differ(at(MIXER, "d: 64"), notes=[Note(at(other, "norm"), "defined here")]))
    assert lines[3:] == ["  --> specs/std/norm.arch:1:7", " 1 | block norm", "   |       ---- defined here"]


def test_a_span_over_lines_marks_the_first() -> None:
    source = Source("a.arch", "one (  \n two\n)")
    assert text_of(sizes_differ(Span(source, 4, len(source.text))))[1:] == ["1 | one (", "  |     ^"]


def test_the_end_of_a_file_has_a_mark() -> None:
    source = Source("a.arch", "net")
    assert text_of(sizes_differ(Span(source, 3, 3), label="expected a name"))[1:] == [
        "1 | net",
        "  |    ^ expected a name",
    ]


def test_an_empty_file_has_no_line_to_show() -> None:
    assert text_of(sizes_differ(Span(Source("empty.arch", ""), 0, 0))) == [
        "error[E9801]: `layer` maps axis `d` of size 64, but `h` has d of size 128     empty.arch:1:1"
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\tx @", " x @"),
        ("caf\u00e9 @", "caf\u00e9 @"),
        ("\u65e5\u672c @", "\u65e5\u672c @"),
        ("\x1b[31m @", "\\x1b[31m @"),
        ("\u202e @\r", "\\u202e @"),
        ("\x00\x7f @", "\\x00\\x7f @"),
    ],
    ids=["tab", "accent", "wide", "escape", "bidi", "control"],
)
def test_marks_stand_under_what_is_shown(line: str, shown: str) -> None:
    _, first, second = text_of(sizes_differ(at(Source("a.arch", line), "@")))
    wide = 2 if "\u65e5" in shown else 0
    assert first == f"1 | {shown}"
    assert len(second) == len(first) + wide
    assert second.endswith("^")


def test_a_long_line_is_cut_around_its_mark() -> None:
    source = Source("a.arch", "x" * 100_000 + "@" + "y" * 100_000)
    _, first, second = text_of(sizes_differ(at(source, "@")))
    assert len(first) < 200
    assert first[second.index("^")] == "@"
    assert first.startswith("1 | ...")
    assert first.endswith("...")


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_a_stranger_reaches_the_terminal_raw(format: Format) -> None:
    source = Source("evil\x1b[2J.arch", "let \x1b]0;owned\x07 = \u202e\n")
    notes = [Note(Span(source, 0, 3), "note \x1b[0m")]
    found = sizes_differ(Span(source, 4, 9), label="a\x1b[31m", notes=notes, help="b\x07\nc\r")
    output = render([found], format)
    assert not set(output) & {"\x1b", "\x07", "\r", "\u202e"}


def test_color_is_asked_for() -> None:
    found = [sizes_differ(at(MIXER, "d: 64"), label="here")]
    plain, colored = render(found, "text"), render(found, "text", color=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31m^^^^^ here\x1b[0m" in colored


def test_the_layout_is_ascii() -> None:
    notes = [Note(at(MIXER, "concat"), "there")]
    assert render([sizes_differ(at(MIXER, "d: 64"), notes=notes, help="a\nb")], "text").isascii()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "no errors in 0 files"),
        ([sizes_differ(Span(MIXER, 0, 1))], "1 error in 1 file"),
        (
            [
                *(sizes_differ(Span(Source(f"{name}.arch", "x"), 0, 1)) for name in "ab"),
                Suspicious(Span(Source("c.arch", "x"), 0, 1)),
            ],
            "2 errors, 1 warning in 3 files",
        ),
    ],
    ids=["none", "one", "several"],
)
def test_summary(found: list[Diagnostic], said: str) -> None:
    assert summary(found) == said


def many(count: int) -> list[Diagnostic]:
    source = Source("many.arch", "x\n" * count)
    return [sizes_differ(Span(source, 2 * line, 2 * line + 1)) for line in range(count)]


def test_a_report_stops_after_a_hundred() -> None:
    output = render(many(10_000), "text")
    assert output.count("error[E9801]") == 100
    assert "note[E0910]: 9900 more     many.arch:101:1\n" in output
    assert output.endswith("\n10000 errors in 1 file\n")


def test_every_format_reports_the_same() -> None:
    found = [*many(150), sizes_differ(at(MIXER, "d: 64"))]
    records = [json.loads(line) for line in render(found, "json").splitlines()]
    results = json.loads(render(found, "sarif"))["runs"][0]["results"]
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in results]
    by_json = [(r["code"], r["span"]["start"]["line"], r["span"]["start"]["column"]) for r in records]
    by_sarif = [(r["ruleId"], g["startLine"], g["startColumn"]) for r, g in zip(results, regions, strict=True)]
    headline = re.compile(r"^\w+\[(E\d+)\]: .*:(\d+):(\d+)$", re.MULTILINE)
    by_text = [(code, int(line), int(column)) for code, line, column in headline.findall(render(found, "text"))]
    command = re.compile(r"^::.*,line=(\d+),.*,col=(\d+),.*title=(E\d+)::", re.MULTILINE)
    by_github = [(code, int(line), int(column)) for line, column, code in command.findall(render(found, "github"))]
    assert len(by_json) == 101
    assert by_json == by_sarif == by_text == by_github


def test_order_does_not_depend_on_the_order_of_finding() -> None:
    found = [*many(5), sizes_differ(at(MIXER, "d: 64"))]
    assert render(found, "text") == render(found[::-1], "text")


def schema() -> dict[str, Any]:
    text = Path(report.__file__).with_name("diagnostic.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def test_json_lines_keep_their_schema() -> None:
    notes = [Note(at(MIXER, "concat"), "there")]
    found = [sizes_differ(at(MIXER, "d: 64"), label="here", notes=notes, help="write"), Suspicious(Span(MIXER, 0, 3))]
    checker = jsonschema.Draft202012Validator(schema())
    checker.check_schema(schema())
    records = [json.loads(line) for line in render(found, "json").splitlines()]
    for record in records:
        checker.validate(record)
    assert records[1]["span"] == {
        "start": {"line": 12, "column": 24, "offset": found[0].span.start},
        "end": {"line": 12, "column": 29, "offset": found[0].span.end},
    }
    assert [record["severity"] for record in records] == ["warning", "error"]


def test_documents_for_programs_are_valid_when_empty() -> None:
    assert render([], "text") == render([], "json") == render([], "github") == ""
    document = json.loads(render([], "sarif"))
    assert document["runs"][0]["results"] == []
    assert document["runs"][0]["invocations"] == [{"executionSuccessful": True}]


def test_sarif_keeps_what_viewers_rely_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    below = Source(str(tmp_path / "my specs" / "a.arch"), "x\nx\n")
    notes = [Note(at(MIXER, "concat"), "there")]
    found = [sizes_differ(Span(below, 0, 1), notes=notes), sizes_differ(Span(below, 2, 3))]
    document = json.loads(render(found, "sarif"))
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert (document["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    assert {rule["id"] for rule in driver["rules"]} == set(Diagnostic.catalogue)
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "E9801"
        assert result["level"] in {"error", "warning", "note"}
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "my%20specs/a.arch"
        assert min(location["physicalLocation"]["region"].values()) >= 1
    fingerprints = [result["partialFingerprints"]["archc/v1"] for result in run["results"]]
    assert len(set(fingerprints)) == 2
    assert run["results"][0]["relatedLocations"][0]["message"] == {"text": "there"}


def test_sarif_fingerprints_survive_lines_added_above() -> None:
    def fingerprint(text: str) -> str:
        (result,) = json.loads(render([sizes_differ(at(Source("a.arch", text), "bad"))], "sarif"))["runs"][0]["results"]
        return str(result["partialFingerprints"]["archc/v1"])

    assert fingerprint("let bad\n") == fingerprint("# new\n\n  let bad\n") != fingerprint("let bad + 1\n")


def test_sarif_says_when_the_compiler_failed() -> None:
    failure = CompilerFault(Span(MIXER, 0, 0), error="KeyError")
    (invocation,) = json.loads(render([failure], "sarif"))["runs"][0]["invocations"]
    assert invocation == {"executionSuccessful": False}


def test_github_annotations_are_escaped() -> None:
    source = Source("a,b:c%.arch", "x\n")
    found = sizes_differ(Span(source, 0, 1), label="100%", help="one\ntwo")
    assert render([found], "github") == (
        "::error file=a%2Cb%3Ac%25.arch,line=1,endLine=1,col=1,endColumn=1,title=E9801::"
        "`layer` maps axis `d` of size 64, but `h` has d of size 128%0A100%25%0Ahelp: one%0Atwo\n"
    )


STRANGE = st.text(st.one_of(st.sampled_from("ab \t\n\r\x1b\u202e\u65e5\u0301\x00"), st.characters()), max_size=40)


@given(STRANGE, st.tuples(st.integers(0, 40), st.integers(0, 40)), STRANGE, STRANGE)
def test_any_text_can_be_shown(text: str, place: tuple[int, int], words: str, path: str) -> None:
    source = Source(path, text)
    start, end = sorted(min(offset, len(text)) for offset in place)
    span = Span(source, start, end)
    found = sizes_differ(span, label=words, notes=[Note(span, words)], help=words)
    for format in FORMATS:
        output = render([found], format)
        assert output.replace("\n", "").isprintable()
    headline, *rest = render([found], "text").split("\n")
    assert headline.endswith(f":{span.line}:{span.column}")
    assert not text or rest[1].lstrip(" |").startswith("^")
