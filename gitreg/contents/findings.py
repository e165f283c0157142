"""Verdicts on the content of files, and their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

DATA, LIMITED, OPAQUE, CODE = "data", "limited", "opaque", "code"
VERDICTS = (DATA, LIMITED, OPAQUE, CODE)
"""The verdicts in order: from a format without code to one that may run its author's code when it is loaded."""

RULES = 1
"""The version of the rules (formats, limits, allow-lists), increased with every change that can alter a verdict."""

TOO_LONG = "too long to be looked through"
TOO_DEEP = "too deep to be looked through"


class Finding(NamedTuple):
    """The verdict on one file, with its reason.

    Parameters
    ----------
    verdict:
        One of `VERDICTS`.
    why:
        The reason, in words.
    names:
        The names that pickles in the file import, as ``module.name``, sorted.
    """

    verdict: str
    why: str
    names: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """The position in the order of verdicts; an unknown verdict counts as the worst."""
        return VERDICTS.index(self.verdict) if self.verdict in VERDICTS else len(VERDICTS) - 1

    def inside(self, place: str) -> Finding:
        """Return the finding with the place in an archive before its reason."""
        return self._replace(why=f"{place}: {self.why}")


def worst(findings: Iterable[Finding]) -> Finding:
    """Return the first of the worst findings, with the names of all."""
    found = list(findings)
    names = {name for each in found for name in each.names}
    return max(found, key=lambda each: each.rank)._replace(names=tuple(sorted(names)))
