"""A stranger's file: whatever is done to the specs, a check answers with diagnostics that lie inside the file."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from archc.base.assets import specs_root
from archc.base.diagnostic import Diagnostic
from archc.base.render import render
from archc.base.span import Source
from archc.driver import check, graph

SPECS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(specs_root().rglob("*.arch"))}
CASES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("cases/*.arch"))}
ROUNDS, EACH = 20, 100
SEED = 20_26

TOKEN = re.compile(r"\s+|#[^\n]*|\"[^\"\n]*\"|\w+|->|\|>|>>|//|[=!<>]=|.", re.DOTALL)
WORDS = tuple(sorted({token for text in SPECS.values() for token in TOKEN.findall(text) if not token.isspace()}))
STRANGE = (
    *("0", "1", "-1", "2", "0.5", "1e308", "9007199254740991", "2^9", "''", '"', '"x"', "{", "}", "(", ")", "[", "]"),
    *("d", "n", "x", "size", "size(d)", "over", "layer", "sum", "repeat", "if", "else", "true", "return", "let"),
    *("scan", "fixpoint", "share", "param", "const", "state", "emit", "assume", "bool", "int", "index(n)", "complex"),
    *("\x00", "\r", "\u202e", "\ufeff", "\u03b1", "\U0001f600", "\t", "\n", "#", "@", "$", "`", "\\", "x" * 70),
)

KEYWORDS = frozenset(
    (
        *("net", "block", "use", "as", "let", "param", "const", "share", "return", "if", "else", "repeat", "with"),
        *("where", "claim", "under", "equivariant", "invariant", "true", "false", "assume", "emit", "state", "scan"),
    )
)
SORTS: tuple[Callable[[str], bool], ...] = (
    lambda token: token.isidentifier() and token not in KEYWORDS,
    lambda token: token.isidentifier() and token not in KEYWORDS,
    lambda token: token[:1].isdigit(),
    lambda token: token in ("+", "-", "*", "/", "//", "%", "^", "|>", ">>", "<", "<=", "==", ">=", "!="),
)

Mutation = Callable[[random.Random, list[str]], None]


def delete(chance: random.Random, tokens: list[str]) -> None:
    start = chance.randrange(len(tokens))
    del tokens[start : start + chance.choice((1, 1, 1, 2, 5))]


def duplicate(chance: random.Random, tokens: list[str]) -> None:
    start = chance.randrange(len(tokens))
    length = chance.choice((1, 1, 3, 10, 40))
    tokens[start:start] = tokens[start : start + length]


def swap(chance: random.Random, tokens: list[str]) -> None:
    one, two = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    tokens[one], tokens[two] = tokens[two], tokens[one]


def replace(chance: random.Random, tokens: list[str]) -> None:
    """Another token of the specs for one that says something."""
    places = [at for at, token in enumerate(tokens) if not token.isspace() and not token.startswith("#")]
    if places:
        tokens[chance.choice(places)] = chance.choice((chance.choice(WORDS), chance.choice(STRANGE)))


def exchange(chance: random.Random, tokens: list[str]) -> None:
    """A token by one of its sort, from this spec or from all: the text still parses, and says something else."""
    is_sort = chance.choice(SORTS)
    places = [at for at, token in enumerate(tokens) if is_sort(token)]
    if places:
        others = [tokens[at] for at in places] if chance.random() < 0.7 else [word for word in WORDS if is_sort(word)]
        tokens[chance.choice(places)] = chance.choice(others)


def insert(chance: random.Random, tokens: list[str]) -> None:
    tokens.insert(chance.randrange(len(tokens) + 1), chance.choice((*STRANGE, chance.choice(WORDS))))


def splice(chance: random.Random, tokens: list[str]) -> None:
    """A run of another spec in the place of one of this."""
    other = TOKEN.findall(chance.choice((chance.choice(list(SPECS.values())), chance.choice(list(CASES.values())))))
    start, at = chance.randrange(len(other)), chance.randrange(len(tokens))
    tokens[at : at + chance.choice((0, 1, 10, 60))] = other[start : start + chance.choice((1, 5, 30, 200))]


TOKENS: tuple[Mutation, ...] = (delete, duplicate, swap, replace, insert, splice)


def mutated(chance: random.Random, text: str) -> str:
    """A spec with one to four changes: of its bytes, of any of its tokens, or of tokens by others of their sort.

    The last keep the grammar, so that what they break is found deeper inside; they are the half of all.
    """
    where = chance.random()
    if where < 0.1:
        return bytes_changed(chance, text)
    tokens = TOKEN.findall(text)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        (exchange if where > 0.5 else chance.choice(TOKENS))(chance, tokens)
        if not tokens:
            break
    return "".join(tokens)


def bytes_changed(chance: random.Random, text: str) -> str:
    data = bytearray(text.encode())
    for _ in range(chance.choice((1, 1, 3))):
        at = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at]
            case _:
                data[at:at] = bytes([chance.randrange(256)])
    return data.decode(errors="replace")


@pytest.fixture(scope="session")
def _library() -> None:
    """The library is parsed once, whoever comes first."""
    assert check("net N(x: real[d]) -> (y: real[d]) { return x |> layer(d -> d) }") == ()


def inside(source: Source, start: int, end: int) -> bool:
    return 0 <= start <= end <= len(source.text)


def sound(found: tuple[Diagnostic, ...], text: str) -> bool:
    """Every place lies inside its text, and every primary one inside the file that was checked."""
    own = all(one.span.source.text in (text, "") for one in found)
    spans = [span for one in found for span in (one.span, *(note.span for note in one.notes))]
    return own and all(inside(span.source, span.start, span.end) for span in spans)


def accepted(text: str) -> None:
    """What a check finds no fault with has a graph for each of its nets."""
    for net in dict.fromkeys(re.findall(r"^net (\w+)", text, re.MULTILINE)):
        assert graph(text, net=net).net.word == net, text


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("round", range(ROUNDS))
def test_a_mutated_spec_gets_diagnostics(round: int) -> None:
    chance = random.Random(SEED + round)
    for _ in range(EACH):
        name = chance.choice(list(SPECS))
        text = mutated(chance, SPECS[name])
        try:
            found = check(text) if text.strip() else ()
        except Exception as error:
            raise AssertionError(f"{name} became\n{text}") from error
        assert sound(found, text), f"{name} became\n{text}"
        if not found:
            accepted(text)
        assert render(found, "text").isascii() or not text.isascii()


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_cut_short_gets_diagnostics(name: str) -> None:
    text = SPECS[name]
    chance = random.Random(SEED)
    for at in sorted(chance.sample(range(len(text)), 5)):
        assert sound(check(text[:at] + " "), text[:at] + " ")
