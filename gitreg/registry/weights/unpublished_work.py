"""The unpublished work of a clone, which its remote lacks: only this clone knows that its blobs are reachable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitreg.registry.state.branch import DRAFTS

if TYPE_CHECKING:
    from gitreg.git import Repository
    from gitreg.registry.state.branch import RegistryBranch

_OF_OTHERS = ("refs/gitreg/", "refs/remotes/")
_SPEAKS_OF_WEIGHTS = r"(?:.*/)?(?:models/.+/(?:versions|annotations)/[^/]+\.yaml|artifacts/[^/]+/[^/]+\.yaml)"


def may_be_unpublished(branch: RegistryBranch, remote: str) -> bool:
    """Return whether there are drafts, or the branch is not at the remote's last known commit; no network access."""
    repository = branch.repository
    return bool(repository.refs(DRAFTS)) or branch.head() != _accepted(branch, remote)


def is_unpublished(branch: RegistryBranch, remote: str) -> bool:
    """Return whether any ref or checked-out commit has records or annotations that the remote's branch lacks.

    Branches that change only code, and moved pointers, keep no blobs. Call it while holding the repository's lock.
    """
    repository, accepted = branch.repository, _accepted(branch, remote)
    if accepted is None or repository.refs(DRAFTS):
        return True
    tips = {
        tip
        for name, oid in (*repository.refs("refs/").items(), *(("HEAD", commit) for commit in repository.checked_out()))
        if not name.startswith(_OF_OTHERS) and (tip := repository.peel(oid)) is not None
    }
    snapshot = branch.snapshot_at(accepted)
    older = snapshot.index.positions(sorted(tips))
    return any(
        _speaks_of_weights(repository, tip, accepted)
        for tip in tips
        if older.get(tip, snapshot.seq + 1) > snapshot.seq and not repository.is_ancestor(tip, accepted)
    )


def _speaks_of_weights(repository: Repository, tip: str, base: str) -> bool:
    return any(change.new and re.fullmatch(_SPEAKS_OF_WEIGHTS, change.path) for change in repository.diff(base, tip))


def _accepted(branch: RegistryBranch, remote: str) -> str | None:
    return branch.repository.read_ref(f"refs/gitreg/{remote}/accepted/{branch.name}")
