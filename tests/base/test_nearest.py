"""The guess at what a misspelling meant."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.base.nearest import nearest

WORDS = ("softmax", "softmin", "relu", "elu", "norm", "layer", "log_softmax")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("sofmax", "softmax"),
        ("Relu", "relu"),
        ("layre", "layer"),
        ("fotsmax", "softmax"),
        ("e", None),
        ("torch", None),
        ("", None),
        ("zzz", None),
    ],
)
def test_guess(word: str, meant: str | None) -> None:
    assert nearest(word, WORDS) == meant


def test_ties_do_not_depend_on_order() -> None:
    assert nearest("ab", ["ax", "aa", "ay"]) is None
    assert nearest("abc", ["abx", "abd"]) == nearest("abc", ["abd", "abx"]) == "abd"


@given(st.text("abcdeABé_0", max_size=8), st.lists(st.text("abcdeABé_0", min_size=1, max_size=8), max_size=6))
def test_the_cheap_bound_loses_nothing(word: str, candidates: list[str]) -> None:
    def ratio(candidate: str) -> float:
        if len(word) == 1:
            return float(candidate.lower() == word.lower())
        if sorted(candidate.lower()) == sorted(word.lower()) and candidate.lower() != word.lower():
            return 0.99
        return SequenceMatcher(None, candidate.lower(), word.lower(), autojunk=False).ratio()

    alike = sorted((-ratio(candidate), candidate) for candidate in candidates if ratio(candidate) >= 0.65)
    assert nearest(word, candidates) == (alike[0][1] if alike else None)
