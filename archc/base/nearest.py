"""The word that a misspelling probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

from archc.base.foreign import translated

_ALIKE = 0.65
_TURNED = 0.99


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `word`, or None when none is alike; ties go to the first in alphabetical order.

    What is called so elsewhere comes first, then the same letters in another order; a single letter is like nothing but
    itself.
    """
    candidates = tuple(candidates)
    if (here := translated(word, candidates)) is not None:
        return here
    wanted = word.lower()
    if len(wanted) == 1:
        return min((one for one in candidates if one.lower() == wanted), default=None)
    letters, turned = _letters(wanted), sorted(wanted)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    best, found = _ALIKE, None
    for candidate in candidates:
        # a letter that only one word has can match nothing: a cheap bound that leaves the slow ratio to the few
        others = _letters(candidate)
        foreign, missing = (letters & ~others).bit_count(), (others & ~letters).bit_count()
        shared = min(len(wanted) - foreign, len(candidate) - missing)
        if 2 * shared < best * (len(wanted) + len(candidate)):
            continue
        matcher.set_seq1(candidate.lower())
        ratio = _TURNED if sorted(candidate.lower()) == turned and candidate.lower() != wanted else matcher.ratio()
        if ratio > best or (ratio == best and (found is None or candidate < found)):
            best, found = ratio, candidate
    return found


@lru_cache(maxsize=4096)
def _letters(word: str) -> int:
    """Which letters a word has, as bits; letters that share a bit only make the bound looser."""
    bits = 0
    for letter in word.lower():
        bits |= 1 << (ord(letter) & 63)
    return bits
