"""The update of the derived refs after a merge: tags for new records, and moved mirror refs of stages and aliases.

All of it is a pure function of the branch, so it does not matter who does it, how often, or if two do it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from gitreg.errors import Conflict
from gitreg.git import RefUpdate
from gitreg.registry.remote.upstream import Upstream
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.receipts import Receipt, write_receipt
from gitreg.registry.state.seals import wanted_tags
from gitreg.registry.state.snapshot import Snapshot

_ONE_BY_ONE = 3
"""The most tags that are pushed one by one: GitHub starts no workflow for a push of more than three tags."""

_LOT = 1000
"""The mirror refs per push: each is an argument of git, and the system limits the length of a command."""


class Synced(NamedTuple):
    """The result of a sync.

    Parameters
    ----------
    moved:
        The refs that were created or moved on the remote.
    wrong:
        A sentence for each tag on the remote that tags the wrong commit; these tags were not changed.
    refused:
        The mirror refs that were not moved, with a warning: the policy refuses the holders of their stages.
    """

    moved: list[str]
    wrong: list[str]
    refused: list[str]


def sync(branch: RegistryBranch, upstream: Upstream) -> Synced:
    """Push the missing tags and mirror refs to the remote, update them here too, and write a receipt; idempotent.

    Call it while holding the repository's lock.

    Raises
    ------
    Refused
        The remote's history was rewritten, or both sides have commits that the other lacks.
    Declined, Unreachable, Conflict
        As for `gitreg.git.remote.protocol.Remote.push`.
    """
    upstream.catch_up()
    snapshot = branch.snapshot()
    write_receipt(branch.repository, Receipt(branch.ref, snapshot.commit, upstream.now(), "sync"))
    remote_refs = upstream.derived_refs(snapshot.settings)
    upstream.fetch_tags(snapshot)
    tags, wrong = _tags(branch, snapshot, remote_refs)
    moves = upstream.mirror_moves(snapshot, remote_refs)
    moves.tell()
    mirrors = moves.due
    one_by_one = [[tag] for tag in tags] if len(tags) <= _ONE_BY_ONE else [tags]
    lots = [mirrors[start : start + _LOT] for start in range(0, len(mirrors), _LOT)]
    for together in (*one_by_one, *lots):
        upstream.push_derived(together)
    with suppress(Conflict):  # another process is moving them
        local = [update._replace(old=branch.repository.read_ref(update.name)) for update in (*tags, *mirrors)]
        branch.repository.update_refs([move for move in local if move.old != move.new], reason="gitreg: sync")
    return Synced([update.name for update in (*tags, *mirrors)], wrong, list(moves.refused))


def _tags(
    branch: RegistryBranch, snapshot: Snapshot, remote_refs: Mapping[str, str]
) -> tuple[list[RefUpdate], list[str]]:
    """Return the updates for missing tags, and a sentence for each wrong tag on the remote."""
    repository, settings = branch.repository, snapshot.settings
    missing, wrong = [], []
    for tag in wanted_tags(snapshot):
        at = remote_refs.get(f"{tag.ref}^{{}}", remote_refs.get(tag.ref))
        if at is None:
            made = repository.read_ref(tag.ref)
            if made is None or repository.peel(made) != tag.commit:
                made = tag.build(repository, settings)
            missing.append(RefUpdate(tag.ref, made, None))
        elif at != tag.commit:
            wrong.append(f"{tag.ref} tags {at[:12]}, but its record came in {tag.commit[:12]}")
    return missing, wrong
