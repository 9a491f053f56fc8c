"""How a size is written: in the language of the specifications and in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from archc.types.polynomial import Atom, Monomial, Size


class Style(NamedTuple):
    """What differs between the languages a size is written in; precedences are the same."""

    times: str
    power: str
    many_arguments: bool
    log2: str


LANGUAGE = Style("*", "^", False, "log2({})")
PYTHON = Style(" * ", "**", True, "(max({}, 1) - 1).bit_length()")

SUM, PRODUCT, POWER, PRIMARY = range(4)
Names = Callable[[str], str]


def written(size: Size, style: Style, name: Names) -> str:
    """A size as text that reads back as the same size, with no parentheses but those needed."""
    return _sum(size, style, name)[0]


def _sum(size: Size, style: Style, name: Names) -> tuple[str, int]:
    terms = _gathered(size)
    if not terms:
        return "0", PRIMARY
    # A positive term goes first where there is one: `b - a` reads better than `-a + b`.
    first = next((at for at, (_, factor) in enumerate(terms) if factor > 0), 0)
    terms.insert(0, terms.pop(first))
    if len(terms) == 1:
        return _signed(*terms[0], style, name)
    words = [_signed(*terms[0], style, name)[0]]
    for product, factor in terms[1:]:
        words.append("+" if factor > 0 else "-")
        words.append(_product(product, abs(factor), style, name)[0])
    return " ".join(words), SUM


def _gathered(size: Size) -> list[tuple[Monomial, int]]:
    """The terms with whole multiples put back under quotients: d + d // 2 is shown as 3*d // 2."""
    terms = dict(size.terms)
    shown: list[tuple[Monomial, int]] = []
    for monomial, factor in size.terms:
        atom, power = monomial[0] if len(monomial) == 1 else (None, 0)
        if atom is None or atom.kind != "//" or factor != 1 or power != 1 or atom.arguments[1].constant is None:
            continue
        top, by = atom.arguments
        inside = [(part, count + by.offset * terms.pop(part, 0)) for part, count in top.terms if part]
        if any(count != old for (_, count), (_, old) in zip(inside, top.terms, strict=False)):
            del terms[monomial]
            whole = Atom("//", "", (Size.sum_of([*inside, ((), top.offset)]), by))
            shown.append((((whole, 1),), 1))
    return [*shown, *terms.items()] if shown else list(size.terms)


def _signed(monomial: Monomial, factor: int, style: Style, name: Names) -> tuple[str, int]:
    text, binding = _product(monomial, abs(factor), style, name)
    if factor > 0:
        return text, binding
    single = monomial[0][0].kind in ("//", "%") and len(monomial) == 1 and factor == -1 if monomial else False
    return (f"-({text})" if single and binding == PRODUCT else f"-{text}"), PRODUCT


def _product(monomial: Monomial, factor: int, style: Style, name: Names) -> tuple[str, int]:
    alone = factor == 1 and len(monomial) == 1
    if alone:
        return _factor(*monomial[0], style, name)
    parts = [str(factor)] if factor != 1 or not monomial else []
    for atom, power in monomial:
        parts.append(_enclosed(_factor(atom, power, style, name), POWER))
    return style.times.join(parts), PRODUCT if len(parts) > 1 else PRIMARY


def _factor(atom: Atom, power: int, style: Style, name: Names) -> tuple[str, int]:
    text = _atom(atom, style, name)
    return text if power == 1 else (f"{_enclosed(text, PRIMARY)}{style.power}{power}", POWER)


def _atom(atom: Atom, style: Style, name: Names) -> tuple[str, int]:
    if atom.kind == "symbol":
        return name(atom.name), PRIMARY
    parts = [_sum(part, style, name) for part in atom.arguments]
    if atom.kind in ("min", "max"):
        return _call(atom.kind, [text for text, _ in parts], style), PRIMARY
    if atom.kind == "log2":
        return style.log2.format(parts[0][0]), PRIMARY
    left, right = parts
    if atom.kind == "^":
        return f"{_enclosed(left, PRIMARY)}{style.power}{_enclosed(right, PRIMARY)}", POWER
    return f"{_enclosed(left, PRODUCT)} {atom.kind} {_enclosed(right, POWER)}", PRODUCT


def _call(function: str, parts: list[str], style: Style) -> str:
    if style.many_arguments:
        return f"{function}({', '.join(parts)})"
    text, *others = parts
    for other in others:
        text = f"{function}({text}, {other})"
    return text


def _enclosed(text: tuple[str, int], binding: int) -> str:
    return text[0] if text[1] >= binding else f"({text[0]})"
