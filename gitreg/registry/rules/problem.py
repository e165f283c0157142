"""The problem: a finding of a rule (of doctor, of a merge or of a push), with its remedy and its repair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gitreg.blobs.manifest import Manifest
from gitreg.git import RefUpdate

Repair = RefUpdate | Manifest | Literal["sync", "reindex", "id", "follow"]
"""The repair of a problem: move a ref (`RefUpdate`); copy a set of files back into the store, from a replica or the
cache (`Manifest`); create the derived refs that the remote lacks (``sync``); rebuild the index (``reindex``); commit an
id of the registry (``id``); update a work tree to its branch (``follow``)."""


@dataclass(frozen=True)
class Problem:
    """The finding of a rule.

    Parameters
    ----------
    where:
        The file, ref or blob.
    what:
        The description of the problem, which follows ``where`` in a sentence.
    remedy:
        The advice to a person.
    repair:
        The repair that doctor can do itself; None: there is none.
    """

    where: str
    what: str
    remedy: str
    repair: Repair | None = None

    def __repr__(self) -> str:
        return f"Problem({f'{self.where}: {self.what}'!r}{', repairable' if self.repair else ''})"

    def row(self) -> dict[str, Any]:
        """Return the problem as plain data: ``where``, ``what``, ``remedy`` and ``repairable``."""
        return {"where": self.where, "what": self.what, "remedy": self.remedy, "repairable": self.repair is not None}
