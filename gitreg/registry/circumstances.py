"""What a policy may ask of a promotion that no snapshot knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitreg.blobs import Source
    from gitreg.contents import Finding
    from gitreg.documents.layout import Key
    from gitreg.documents.types import ArtifactRecord
    from gitreg.registry.ledger import Ledger


@dataclass(frozen=True)
class Circumstances:
    """Who promotes, when and where. What is not known (None) is not evaluated, and so lets nobody pass.

    Parameters
    ----------
    promoter:
        Asked for the e-mail of who commits.
    now:
        The clock: seconds since the epoch. Not the committer's date, which a user can set.
    here:
        The commit that the branch was at before a push that is judged: what follows it is seen now.
    again:
        Whether what was judged in the past is judged again: of what was seen here only later, the committers tell when.
    ledger:
        The repository with the tags, and ssh-keygen in its environment.
    source:
        Where manifests are read from.
    look:
        Looks at the bytes of an artifact's files, and returns the worst verdict; None where they are not read.
    run:
        Runs a command about a reference and the pointer that is to be its, and says whether it succeeded. None, but in
        ``gitreg check``: a reader runs nothing.
    proposing:
        Whether the commit is only proposed: whoever checks the proposal decides, by the target branch's policy.
    files_follow:
        Whether the version's files are stored later, after this is only asked.
    settings_guarded:
        Whether who may do what is changed by nobody where there are policies, and none says who may change them: on a
        server, unless its keeper allows it.
    """

    promoter: Callable[[], str] | None = None
    now: Callable[[], float] | None = None
    here: str | None = None
    again: bool = False
    ledger: Ledger | None = None
    source: Callable[[], Source] | None = None
    look: Callable[[ArtifactRecord], Finding | None] | None = None
    run: Callable[[Sequence[str], str, Key], bool] | None = None
    proposing: bool = False
    files_follow: bool = False
    settings_guarded: bool = False


UNKNOWN = Circumstances()
