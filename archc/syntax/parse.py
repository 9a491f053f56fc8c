"""Text to tree. The only place that knows Lark."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, cast

from lark import Lark, TextSlice, Token, Tree, lexer
from lark import UnexpectedToken as LarkUnexpectedToken
from lark.grammar import Rule
from lark.lexer import TerminalDef

from archc.base.assets import grammar, grammar_root
from archc.base.diagnostic import Fault, Findings
from archc.base.limits import LIMITS, Limits
from archc.base.span import Source, Span
from archc.syntax import tree
from archc.syntax.build import TreeBuilder
from archc.syntax.expected import unexpected
from archc.syntax.faults import FileTooLarge, UnexpectedToken
from archc.syntax.nesting import check_nesting
from archc.syntax.scan import Chunk, Scan

GRAMMAR = "archc.lark"
TABLES = "archc.tables.json"
_STARTS = ("item", "expression")
_SORTS = {"NAME": "a name", "NUMBER": "a number", "STRING": "a string"}
_HEAD = re.compile(r"\b(?:net|block)\s+([A-Za-z_]\w*)")
_LAST = re.compile(r"(?:\w+|\S)$")
_ONE_AT_A_TIME = Lock()


@cache
def _parser() -> tuple[Lark, TreeBuilder]:
    """The parser and the builder it calls, made at the first use."""
    builder = TreeBuilder()
    text = grammar(GRAMMAR)
    stored = _stored(text)
    return _built(text, builder) if stored is None else _loaded(stored, builder), builder


def _built(text: str, builder: TreeBuilder | None = None) -> Lark:
    """The parser from its grammar, the slow way: about as long as everything else a small check does."""
    # Where `interegular` is installed, Lark looks for colliding terminals in every build, which takes longer than all
    # the rest. The tests build the grammar with `strict`, so a start of the compiler need not look again.
    checks = getattr(lexer, "has_interegular", False)
    vars(lexer)["has_interegular"] = False
    try:
        return Lark(
            text,
            parser="lalr",
            lexer="basic",
            start=list(_STARTS),
            keep_all_tokens=True,
            maybe_placeholders=False,
            transformer=builder,
        )
    finally:
        vars(lexer)["has_interegular"] = checks


def parse_tables() -> str:
    """The text of `grammars/archc.tables.json`: the parser of the grammar as data, and the grammar's hash.

    `python -m archc.syntax.parse` writes it after a change of the grammar; where it is stale, it is not used.
    """
    text = grammar(GRAMMAR)
    data, memo = _built(text).memo_serialize([TerminalDef, Rule])
    data["options"].pop("transformer", None)
    return json.dumps({"grammar": _hash(text), "data": data, "memo": memo}, separators=(",", ":")) + "\n"


def _stored(text: str) -> dict[str, Any] | None:
    """The stored tables where they are those of the grammar."""
    try:
        stored: dict[str, Any] = json.loads(grammar(TABLES))
    except (FileNotFoundError, ValueError):
        return None
    return stored if stored.get("grammar") == _hash(text) else None


def _loaded(stored: dict[str, Any], builder: TreeBuilder) -> Lark:
    """The parser from its tables, whose keys are numbers again."""
    table = stored["data"]["parser"]["parser"]
    table["tokens"] = _by_number(table["tokens"])
    table["states"] = {state: _by_number(actions) for state, actions in _by_number(table["states"]).items()}
    load: Callable[..., Lark] = vars(Lark)["_load_from_dict"].__get__(None, Lark)  # what Lark's standalone parsers call
    return load(stored["data"], _by_number(stored["memo"]), transformer=builder)


def _by_number(entries: dict[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in entries.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def parse(source: Source, findings: Findings, limits: Limits = LIMITS) -> tree.Spec | None:
    """The tree of a file, or None when anything was wrong with the text; `findings` then says what."""
    before = len(findings.errors)
    spec, _ = parse_sound(source, findings, limits)
    return spec if len(findings.errors) == before else None


def parse_sound(
    source: Source, findings: Findings, limits: Limits = LIMITS
) -> tuple[tree.Spec | None, frozenset[str] | None]:
    """The tree of what is sound in a file, and the names that its faulty definitions would give a meaning to.

    Each definition is parsed on its own, so that a fault in one does not hide the next. The tree is None where nothing
    of the text can be used, the names where a `use` is faulty, since what it would bring is not known.
    """
    scan = _scanned(source, findings, limits)
    if scan is None or scan.is_broken:
        return None, None
    parsed = [(chunk, _parse_chunk(source, chunk, "item", findings, limits)) for chunk in scan.chunks]
    items = [item for _, item in parsed if item is not None]
    texts = [source.text[chunk.start : chunk.end] for chunk, item in parsed if item is None]
    heads = [_HEAD.findall(text) for text in texts]
    spec = tree.Spec(
        span=Span(source, 0, len(source.text)),
        uses=tuple(item for item in items if isinstance(item, tree.Use)),
        definitions=tuple(item for item in items if isinstance(item, tree.Definition)),
        comments=tuple(scan.comments),
    )
    return spec, frozenset(name for names in heads for name in names) if all(heads) else None


def parse_expression(source: Source, findings: Findings, limits: Limits = LIMITS) -> tree.Expr | None:
    """The tree of a text that is one expression, or None when anything was wrong with it."""
    scan = _scanned(source, findings, limits)
    if scan is None or scan.is_faulty:
        return None
    whole = Chunk(0, len(source.text))
    return cast("tree.Expr | None", _parse_chunk(source, whole, "expression", findings, limits))


def _scanned(source: Source, findings: Findings, limits: Limits) -> Scan | None:
    if len(source.text) > limits.file_bytes:
        findings.add(FileTooLarge(Span(source, 0, 0), limit=limits.file_bytes))
        return None
    return Scan(source, findings, limits).run()


def _parse_chunk(source: Source, chunk: Chunk, start: str, findings: Findings, limits: Limits) -> tree.Tree | None:
    if chunk.faulty:
        return None
    lark, builder = _parser()
    try:
        with _ONE_AT_A_TIME:
            builder.source = source
            item = cast("tree.Tree", lark.parse(TextSlice(source.text, chunk.start, chunk.end), start=start))
        check_nesting(item, limits)
    except LarkUnexpectedToken as error:
        # asking what could have stood there is slow, and no one reads the hundredth answer
        detailed = len(findings) < limits.diagnostics
        findings.add(_diagnose(error, source, lark, limits, detailed=detailed))
    except Fault as fault:
        findings.add(fault.diagnostic)
    else:
        return item
    return None


def _diagnose(
    error: LarkUnexpectedToken, source: Source, lark: Lark, limits: Limits, *, detailed: bool
) -> UnexpectedToken:
    """The parser's complaint in the words of the language."""
    token = error.token
    accepted = {_word(name, lark) for name in error.accepts or error.expected} if detailed else set()
    end = _end(error.interactive_parser.parser_state.value_stack) if error.interactive_parser else 0
    before = _LAST.search(source.text, max(0, end - limits.name_length), end)
    span = Span(source, end, end) if token.type == "$END" else Span(source, token.start_pos, token.end_pos)
    return unexpected(span, str(token), accepted, before[0] if before else "")


def _end(stack: list[Any]) -> int:
    """Where the last token that the parser took ends."""
    last = stack[-1] if stack else None
    while isinstance(last, Tree):
        last = last.children[-1]
    if isinstance(last, Token):
        return last.end_pos or 0
    return last.span.end if last is not None else 0


def _word(terminal: str, lark: Lark) -> str:
    """How a terminal is written, or what it stands for."""
    if terminal == "$END":
        return "the end of the definition"
    if terminal in _SORTS:
        return _SORTS[terminal]
    return lark.get_terminal(terminal).pattern.value


if __name__ == "__main__":
    (grammar_root() / TABLES).write_text(parse_tables(), encoding="utf-8")
