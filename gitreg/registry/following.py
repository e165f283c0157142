"""Making what follows from a branch in the repository that has it: a host of one's own, or a clone without a remote.

A tag that is there is left as it is and not looked into: each push would read every tag of the registry. Whether they
are right, hooks have said before, and `gitreg sync` and `gitreg doctor` say.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.git import RefUpdate
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.derived import build_seal, tag_prefix, tag_ref
from gitreg.registry.integrity import readings
from gitreg.registry.ledger import Ledger
from gitreg.registry.mirror_moves import mirror_moves
from gitreg.registry.snapshot import Snapshot


def follow(ledger: Ledger, circumstances: Circumstances) -> list[str]:
    """Make the tags that this repository lacks, move its mirrors to where they belong, and return their names.

    Call it while holding the repository's lock.

    Parameters
    ----------
    circumstances:
        What a policy may ask of who holds a stage: the mirror of one whom it refuses stays, with a warning.

    Raises
    ------
    Conflict
        Others are moving them.
    """
    snapshot = ledger.snapshot()
    tags = list(_tags(ledger, snapshot))
    ledger.repository.update_refs(tags, reason="gitreg: sync")  # before policies ask for signatures
    moves = mirror_moves(ledger, snapshot, lambda: circumstances)
    moves.tell()
    ledger.repository.update_refs(moves.due, reason="gitreg: sync")
    return [update.name for update in (*tags, *moves.due)]


def _tags(ledger: Ledger, snapshot: Snapshot) -> Iterator[RefUpdate]:
    repository, settings, index = ledger.repository, snapshot.settings, snapshot.index
    there = repository.refs(tag_prefix(settings))
    for model, name, _ in index.last_touched(snapshot.seq, "model_version"):
        ref = tag_ref(settings, model, name)
        entry = index.get(snapshot.seq, "model_version", model, name) if ref not in there else None
        said = readings(snapshot, entry) if entry is not None else []
        if not said:
            continue  # it has its tag; or there is no record any more, or none that could ever be read
        moment = index.moment(said[-1].since)
        if not moment.boundary:  # where the record came from was cut off
            assert said[-1].data is not None
            yield RefUpdate(ref, build_seal(repository, settings, moment.oid, said[-1].data, said[-1].digest)[1], None)
