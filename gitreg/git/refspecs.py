"""What to fetch, and where to put it (the refspecs of git-fetch(1))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gitreg.git.remote import PEELED, no_such_ref, pattern_of


class Refspec(NamedTuple):
    """One of them.

    Parameters
    ----------
    forced:
        Whether a branch that is here may move to what does not follow from it.
    source, target:
        Full names there and here, each with one ``*`` or none; no target fetches without a ref.
    """

    forced: bool
    source: str
    target: str

    @classmethod
    def parse(cls, text: str) -> Refspec:
        """Read one."""
        source, _, target = text.removeprefix("+").partition(":")
        return cls(text.startswith("+"), source, target)

    @property
    def prefix(self) -> bytes:
        """How the names that it means start."""
        return self.source.partition("*")[0].encode("utf-8", "surrogateescape")

    def among(self, offered: Mapping[str, str], remote: str) -> Iterator[tuple[Refspec, str, str]]:
        """Yield what of a remote's refs it means: itself, a name, an object id."""
        pattern = pattern_of(self.source)
        names = [name for name in offered if pattern.fullmatch(name) and not name.endswith(PEELED)]
        if not names and "*" not in self.source:
            raise no_such_ref(remote, self.source)
        for name in names:
            yield self, name, offered[name]

    def target_of(self, name: str) -> str:
        """Give the ref that one of the remote's is put at; none for none."""
        found = pattern_of(self.source).fullmatch(name)
        return self.target.replace("*", found[1]) if found and "*" in self.target else self.target
