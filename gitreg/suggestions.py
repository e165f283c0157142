"""Suggestions for a word that is not known: the known words near it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MOST = 3
_NEAR = 0.6  # of difflib's ratio: two of three characters are the same
_AS_NEAR = 0.1  # a word that is less like it than the nearest one by more than that is not meant
_MOST_LISTED = 10
OPPOSITES = ("un", "de", "dis", "no-", "no", "re")
"""The prefixes of a word that takes back, or does again, what the word without it does."""


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


def is_typo(word: str, known: str) -> bool:
    """Return whether two words differ in one letter: a wrong one, a missing one, one too many, or two swapped."""
    start = 0
    while word[start : start + 1] == known[start : start + 1] != "":
        start += 1
    one, two = word[start:], known[start:]
    swapped = one[:2] == two[1::-1] and one[2:] == two[2:]
    return swapped or one[1:] == two[1:] or one[1:] == two or one == two[1:]


def is_opposite(word: str, known: str) -> bool:
    """Return whether a word is a known one behind a prefix that turns it round, as in ``untrust``, or the reverse."""
    for prefix in OPPOSITES:
        if word.startswith(prefix) and not known.startswith(prefix) and is_typo(word.removeprefix(prefix), known):
            return True
    return any(known == prefix + word for prefix in OPPOSITES)


def nearest_commands(word: str, known: Iterable[str]) -> list[str]:
    """Return the commands that are near a word: none is its opposite, and a word of two letters has none."""
    short = word.strip().casefold()
    return nearest(word, [each for each in known if not is_opposite(short, each)]) if len(short) > 2 else []


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
