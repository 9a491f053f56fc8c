"""What could have stood where the parser stopped, in the words of the language."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from archc.base.nearest import nearest
from archc.base.span import Span
from archc.syntax.faults import UnexpectedToken

_OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "^", ">>", "|>", "and", "or")
_STATEMENTS = ("let", "param", "const", "state", "share", "emit", "assume")
_STARTS = ("true", "false", "not", "-", "if", "repeat", "scan", "fixpoint", "a string", "a number", "a name", "(")
_SOFT = ("over", "under", "equivariant", "invariant", "state", "share", "shared", "using", "where")
_REDUCERS = ("sum", "mean", "prod", "max", "min", "logsumexp", "any", "all")
_FIRST = (",", ")", "]", "}", "an expression", "a name", "an operator", "->", ":", "=", "{", "return", "a statement")
_MOST = 5
_WIDEST = 40
_INSTEAD_OF = {
    ("*", "*"): "a power is written `^`",
    ("=", ">"): "an arrow is written `->`, at least `>=`",
}


def unexpected(span: Span, found: str, accepted: Collection[str], before: str) -> UnexpectedToken:
    """The diagnostic at a token that cannot stand where it does. `found` is its text, "" at the end of the text;
    `accepted` are the words and symbols that could; `before` is the token before it."""
    what = f"`{_short(found)}`" if found else "end of the text"
    wanted = expected(accepted)
    label = f"expected {_either(wanted)}" if wanted else ""
    return UnexpectedToken(span, found=what, label=label, help=_advice(found, before, wanted, accepted))


def expected(accepted: Collection[str]) -> list[str]:
    """At most five things to write, most useful first."""
    words = set(accepted)
    if "a number" in words and "a name" in words:
        words -= {*_STARTS, *_SOFT, *_REDUCERS}
        words.add("an expression")
    elif "a name" in words:
        words -= {*_SOFT, *_REDUCERS}
    elif "sum" in words:
        words -= set(_REDUCERS)
    if "let" in words:
        words -= set(_STATEMENTS)
        words.add("a statement")
    if "+" in words:
        words -= {*_OPERATORS, ".", "["}
        words.add("an operator")
    ranked = sorted(words, key=lambda word: (_rank(word), word))
    return [word if word.startswith(("a ", "an ", "the ")) else f"`{word}`" for word in ranked[:_MOST]]


def _rank(word: str) -> int:
    return _FIRST.index(word) if word in _FIRST else len(_FIRST)


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _advice(found: str, before: str, wanted: list[str], accepted: Collection[str]) -> str:
    """The obvious repair, where there is one."""
    if elsewhere := _from_elsewhere(found, before, wanted):
        return elsewhere
    if found in ("def", "function", "fn", "class", "module", "layer", "model") and "net" in accepted:
        return "a definition is written `block name (x: real[d]) -> (y: real[d]) { ... }`, a compiled one with `net`"
    if found == "==" and "=" in accepted:
        return "a definition is written with one `=`"
    if found == "=" and "==" in accepted:
        return "a comparison is written `==`"
    if before in _REDUCERS and _is_word(found) and "an operator" in wanted:
        return f"inside a product a reduction stands in parentheses: `({before} {found}: ...)`"
    if "let" in accepted:
        return _statement_advice(found)
    if found[:1].isdigit() and before in ("[", ",") and set(wanted) <= {"a name", "`]`"}:
        return f"the axis comes first, as in `n: {found}`"
    if found in (",", "]") and ":" in accepted and set(accepted) <= {":", "."}:
        return f"an index says on which axis: `axis: {before}`"
    if {"(", "}"} <= set(accepted) and _is_word(found) and before.isidentifier():
        return f"a call is written `{before}({found})`"
    if "," in accepted and _is_word(found) and (_is_word(before) or before in ")]}"):
        return f"put a comma between `{before}` and `{found}`"
    return _missing(found, before, wanted)


def _missing(found: str, before: str, wanted: list[str]) -> str:
    """The obvious repair where only one thing could have stood there."""
    if wanted == ["an expression"] and before in _OPERATORS:
        return f"write a value after `{before}`"
    if len(wanted) == 1 and wanted[0].startswith("`") and found:
        return f"write {wanted[0]} before `{_short(found)}`"
    return ""


def _from_elsewhere(found: str, before: str, wanted: list[str]) -> str:
    """How something is written that other languages write like this."""
    if (before, found) in _INSTEAD_OF:
        return _INSTEAD_OF[before, found]
    if found == "if" and "an operator" in wanted:
        return f"a choice between values is written `where(condition, {before}, 0)`"
    if found == "in" and _is_word(before):
        return f"an axis that is read needs no size, as in `sum {before}: ...`; a new one has it after `<`"
    if before[:1].isdigit() and (found[:1].isalpha() or found[:1] == "_"):
        return _number_advice(before, found)
    return ""


def _number_advice(number: str, word: str) -> str:
    """The obvious repair for a word right after a number: `0x10`, `1_000`, `2x`."""
    if word[0] == "_" or (number == "0" and word[0] in "xXbBoO"):
        return "numbers are decimal, without separators: `16`, `1000`, `1e-5`"
    return f"a product is written `{number} * {word}`"


def _statement_advice(found: str) -> str:
    """The obvious repair where a statement could begin."""
    if found in ("for", "while"):
        return "loops are `repeat`, `scan` and `fixpoint`"
    if found in ("return", "}"):
        return "a body ends with `return` and its results"
    if found == "yield":
        return "a loop gives a value at every step by `emit`"
    meant = nearest(found, (*_STATEMENTS, "return"))
    if meant is not None and found != meant:
        return f"did you mean `{meant}`?"
    if found[:1].isalpha() and found not in _STARTS:
        return f"a value is named by `let {found} = ...`"
    return ""


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def _is_word(text: str) -> bool:
    return text[:1].isalnum() or text[:1] in ("_", '"')
