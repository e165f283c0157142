"""What doctor says of something that is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gitreg.blobs import Manifest
from gitreg.git import RefUpdate

Mend = RefUpdate | Manifest | Literal["sync", "reindex", "id", "follow"]
"""What doctor can do itself: move a ref; bring a set of files back into the store, from a replica or the user's cache;
make the tags and mirrors that the remote lacks; make the index anew; give the registry an id by a commit; bring a work
tree up to its branch."""


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be.

    Parameters
    ----------
    where:
        The file, ref or blob.
    what:
        What is wrong with it, in a sentence.
    remedy:
        What a person can do about it.
    mend:
        What doctor can do itself. None: nothing.
    """

    where: str
    what: str
    remedy: str
    mend: Mend | None = None

    def row(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"where": self.where, "what": self.what, "remedy": self.remedy, "repairable": self.mend is not None}
