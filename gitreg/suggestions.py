"""Suggestions for a word that is not known: the known words near it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MOST = 3
_MOST_LISTED = 10


def nearest(word: str, known: Iterable[str], *, most: int = _MOST) -> list[str]:
    """Return the known words that are near a word or begin with it, the nearest first; the case does not count."""
    from difflib import get_close_matches  # only for an error

    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    short = word.strip().casefold()
    near = get_close_matches(short, folded, n=most)
    begun = [each for each in folded if each.startswith(short)] if len(short) > 1 else []
    return [folded[each] for each in dict.fromkeys([*near, *begun])][:most]


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
