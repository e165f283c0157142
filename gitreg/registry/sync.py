"""Making what follows from the remote's branch: after a merge, tags for its new records and mirrors that move on.

All of it is a pure function of the branch, so that it does not matter who does it, how often, or if two do at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from gitreg.errors import Conflict
from gitreg.git import RefUpdate
from gitreg.registry.derived import build_seal, tag_ref
from gitreg.registry.integrity import readings
from gitreg.registry.ledger import Ledger
from gitreg.registry.receipts import Receipt, write_receipt
from gitreg.registry.snapshot import Snapshot
from gitreg.registry.upstream import Upstream

_ONE_BY_ONE = 3
"""Up to so many tags are pushed each by itself: GitHub starts nothing for a push with more than three."""

_LOT = 1000
"""So many mirrors are pushed at once: each is an argument of git, of which a system takes only so many."""


class Synced(NamedTuple):
    """What a sync did.

    Parameters
    ----------
    moved:
        The refs that it made or moved.
    wrong:
        Sentences about tags that are there and should not be as they are; they were left alone.
    refused:
        The mirrors that were left alone, with a warning: the policy does not let in who holds their stages.
    """

    moved: list[str]
    wrong: list[str]
    refused: list[str]


def sync(ledger: Ledger, upstream: Upstream) -> Synced:
    """Make the tags and mirrors that the remote lacks, here too, and write a receipt; run again it does nothing.

    Call it while holding the repository's lock.

    Raises
    ------
    Refused
        The remote's history was rewritten, or both sides have commits that the other lacks.
    Declined, Unreachable, Conflict
        As for `gitreg.git.remote.Remote.push`.
    """
    upstream.catch_up()
    snapshot = ledger.snapshot()
    write_receipt(ledger.repository, Receipt(ledger.ref, snapshot.commit, upstream.now(), "sync"))
    there = upstream.derived_refs(snapshot.settings)
    upstream.fetch_tags(snapshot)
    tags, wrong = _tags(ledger, snapshot, there)
    moves = upstream.mirror_moves(snapshot, there)
    moves.tell()
    mirrors = moves.due
    one_by_one = [[tag] for tag in tags] if len(tags) <= _ONE_BY_ONE else [tags]
    lots = [mirrors[start : start + _LOT] for start in range(0, len(mirrors), _LOT)]
    for together in (*one_by_one, *lots):
        upstream.push_derived(together)
    with suppress(Conflict):  # who holds them is moving them
        here = [update._replace(old=ledger.repository.read_ref(update.name)) for update in (*tags, *mirrors)]
        ledger.repository.update_refs([move for move in here if move.old != move.new], reason="gitreg: sync")
    return Synced([update.name for update in (*tags, *mirrors)], wrong, list(moves.refused))


def _tags(ledger: Ledger, snapshot: Snapshot, there: Mapping[str, str]) -> tuple[list[RefUpdate], list[str]]:
    """Give the tags that are missing, and what is wrong with those that are there."""
    missing, wrong = [], []
    for ref, seal, commit in _seals(ledger, snapshot, there):
        if ref not in there:
            missing.append(RefUpdate(ref, seal, None))
        elif there.get(f"{ref}^{{}}", there[ref]) != commit:
            wrong.append(f"{ref} tags {there.get(ref + '^{}', there[ref])[:12]}, but its record came in {commit[:12]}")
    return missing, wrong


def _seals(ledger: Ledger, snapshot: Snapshot, there: Mapping[str, str]) -> Iterator[tuple[str, str | None, str]]:
    """Yield each version's tag, its object where the remote lacks it, and the commit that it has to tag."""
    settings, repository = snapshot.settings, ledger.repository
    for entry in snapshot.index.scan(snapshot.seq, "model_version"):
        ref = tag_ref(settings, entry.model, entry.name)
        said = readings(snapshot, entry)
        if not said:
            continue  # it could never be read
        first = said[-1]
        moment = snapshot.index.moment(first.since)
        if moment.boundary:
            continue  # where the record came from was cut off
        seal = None
        if ref not in there:
            seal = repository.read_ref(ref)
            if seal is None or repository.peel(seal) != moment.oid:
                assert first.data is not None
                seal = build_seal(repository, settings, moment.oid, first.data, first.digest)[1]
        yield ref, seal, moment.oid
