"""The promotion context: facts that gates ask about and that no snapshot has (promoter, time, branch, stores)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitreg.blobs.reader import StoreReader
    from gitreg.contents import Finding
    from gitreg.documents.layout import Key
    from gitreg.documents.types import ArtifactRecord
    from gitreg.registry.state.branch import RegistryBranch


@dataclass(frozen=True)
class PromotionContext:
    """The promotion context. A gate that needs a fact which is None is not evaluated, and so does not pass.

    Parameters
    ----------
    promoter:
        Returns the e-mail of the committer.
    now:
        Returns the time in seconds since the epoch; not from the committer's date, which a user can set.
    before_push:
        The commit of the branch before the push that is judged; later commits count as arrived now.
    again:
        True if a past promotion is judged again; commits are then dated by `Dates.came`, not by `Dates.seen`.
    branch:
        The registry branch, whose repository has the tags and an environment with ssh-keygen.
    source:
        Returns the store that manifests are read from.
    look:
        Scans the files of an artifact and returns the worst finding; None where files are not read.
    run:
        Runs a command for a reference and the pointer to be moved, and returns whether it succeeded. None except in
        ``gitreg check``.
    proposing:
        True if the commit is only proposed; the check of the proposal decides, by the policy of the target branch.
    files_follow:
        True if the files of the version are stored only after the decision.
    settings_guarded:
        True on a server, unless its administrator allows it: permissions in the settings do not change where there are
        policies but none for the settings.
    """

    promoter: Callable[[], str] | None = None
    now: Callable[[], float] | None = None
    before_push: str | None = None
    again: bool = False
    branch: RegistryBranch | None = None
    source: Callable[[], StoreReader] | None = None
    look: Callable[[ArtifactRecord], Finding | None] | None = None
    run: Callable[[Sequence[str], str, Key], bool] | None = None
    proposing: bool = False
    files_follow: bool = False
    settings_guarded: bool = False


UNKNOWN = PromotionContext()
