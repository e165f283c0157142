"""Refspecs: the refs to fetch, and the local refs to store them as (git-fetch(1))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gitreg.git.remote.protocol import PEELED, no_such_ref, pattern_of


class Refspec(NamedTuple):
    """A mapping from refs of a remote to local refs.

    Parameters
    ----------
    forced:
        True if an existing local ref may move to an object that is not its descendant.
    source, target:
        Full names on the remote and here, with at most one ``*`` each; an empty target stores no ref.
    """

    forced: bool
    source: str
    target: str

    @classmethod
    def parse(cls, text: str) -> Refspec:
        """Return the refspec in a text such as ``+refs/heads/*:refs/remotes/origin/*``."""
        source, _, target = text.removeprefix("+").partition(":")
        return cls(text.startswith("+"), source, target)

    @property
    def prefix(self) -> bytes:
        """The start of the remote names that match, as bytes."""
        return self.source.partition("*")[0].encode("utf-8", "surrogateescape")

    def among(self, offered: Mapping[str, str], remote: str) -> Iterator[tuple[Refspec, str, str]]:
        """Yield this refspec with the name and the object id of each matching ref of a remote.

        Parameters
        ----------
        offered:
            The remote's refs, with their object ids.
        remote:
            The name of the remote, for the error.

        Raises
        ------
        NotFound
            The source has no ``*``, and the remote has no such ref.
        """
        pattern = pattern_of(self.source)
        names = [name for name in offered if pattern.fullmatch(name) and not name.endswith(PEELED)]
        if not names and "*" not in self.source:
            raise no_such_ref(remote, self.source)
        for name in names:
            yield self, name, offered[name]

    def target_of(self, name: str) -> str:
        """Return the local ref for a ref of the remote, or "" for none."""
        found = pattern_of(self.source).fullmatch(name)
        return self.target.replace("*", found[1]) if found and "*" in self.target else self.target
