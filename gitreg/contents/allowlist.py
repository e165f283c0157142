"""The allow-list of pickles: exact pairs of module and name that they may import without counting as code.

``allowed/*.txt`` has the pairs, one a line, written by ``python -m tests.contents.generate`` and reviewed as code.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

Pair = tuple[str, str]


@cache
def allowed_pairs() -> frozenset[Pair]:
    """Return all pairs on the allow-list."""
    pairs: set[Pair] = set()
    for file in sorted((Path(__file__).parent / "allowed").glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                module, name = line.split(" ")
                pairs.add((module, name))
    return frozenset(pairs)


def is_allowed(pair: Pair) -> bool:
    """Return whether a pickle may import a name, both as it is written and as Python 3 reads pickles of Python 2."""
    allowed = allowed_pairs()
    return pair in allowed and as_python_3(pair) in allowed


def as_python_3(pair: Pair) -> Pair:
    """Return the pair that ``pickle.load`` imports for a name in a pickle of protocol 2 or lower."""
    from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

    if pair in NAME_MAPPING:
        module, name = NAME_MAPPING[pair]
        return module, name
    return IMPORT_MAPPING.get(pair[0], pair[0]), pair[1]
