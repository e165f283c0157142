"""Suggestions for a word that is not known: the known words near it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MOST = 3
_NEAR = 0.6  # of difflib's ratio: two of three characters are the same
_AS_NEAR = 0.1  # a word that is less like it than the nearest one by more than that is not meant
_MOST_LISTED = 10


def nearest(word: str, known: Iterable[str], *, most: int = _MOST) -> list[str]:
    """Return the known words that are near a word or begin with it, the nearest first; the case does not count."""
    from difflib import SequenceMatcher  # only for an error

    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    short = word.strip().casefold()
    matcher = SequenceMatcher(b=short)
    likeness: dict[str, float] = {}
    for each in folded:
        matcher.set_seq1(each)
        begins = len(short) > 1 and each.startswith(short)
        if begins or min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= _NEAR:
            likeness[each] = max(matcher.ratio(), _NEAR if begins else 0)
    best = max(likeness.values(), default=0)
    near = [each for each, ratio in likeness.items() if ratio >= max(_NEAR, best - _AS_NEAR)]
    return [folded[each] for each in sorted(near, key=lambda each: -likeness[each])][:most]


def alternatives(words: Sequence[str]) -> str:
    """Return ``'a'``, ``'a' or 'b'``, ``'a', 'b' or 'c'``."""
    *others, last = map(repr, words)
    return f"{', '.join(others)} or {last}" if others else last


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return the hint that names the known words near a word, or another hint where none is near."""
    near = nearest(word, known)
    return f"did you mean {alternatives(near)}?" if near else otherwise


def listed(words: Sequence[str]) -> str:
    """Return at most ten words between commas, and how many more there are."""
    more = f" and {len(words) - _MOST_LISTED} more" if len(words) > _MOST_LISTED else ""
    return ", ".join(words[:_MOST_LISTED]) + more
