"""Verdicts on files, and their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

DATA, LIMITED, OPAQUE, CODE = "data", "limited", "opaque", "code"
VERDICTS = (DATA, LIMITED, OPAQUE, CODE)
"""From a format that holds no code to what may run its maker's code when it is loaded."""

RULES = 1
"""The number of these rules: of the formats, limits and allow-lists. One more wherever a verdict can change."""

TOO_LONG = "too long to be looked through"
TOO_DEEP = "too deep to be looked through"


class Finding(NamedTuple):
    """The verdict on one file.

    Parameters
    ----------
    why:
        What was found, in words.
    names:
        The names that pickles in it import, as ``module.name``, sorted.
    """

    verdict: str
    why: str
    names: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """The place in the order of verdicts; one that is not known counts as the worst."""
        return VERDICTS.index(self.verdict) if self.verdict in VERDICTS else len(VERDICTS) - 1

    def inside(self, place: str) -> Finding:
        """Return it with the place in an archive where it was found."""
        return self._replace(why=f"{place}: {self.why}")


def worst(findings: Iterable[Finding]) -> Finding:
    """Return the first of the worst findings, with the names of all."""
    found = list(findings)
    names = {name for each in found for name in each.names}
    return max(found, key=lambda each: each.rank)._replace(names=tuple(sorted(names)))
