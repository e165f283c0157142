"""The update of derived refs in the repository of the branch: a self-hosted server, or a clone without a remote.

An existing tag is kept and not read, as each push would have to read every tag of the registry. The push rules, `gitreg
sync` and `gitreg doctor` check tags.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.git import RefUpdate
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.remote.mirror_moves import mirror_moves
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.registry_refs import build_seal, tag_prefix, tag_ref
from gitreg.registry.state.seals import readings
from gitreg.registry.state.snapshot import Snapshot


def follow(branch: RegistryBranch, context: PromotionContext) -> list[str]:
    """Write missing tags, move mirrors to the commits of their pointers, and return the full names of these refs.

    The caller has the repository's lock.

    Parameters
    ----------
    context:
        The promotion context. If the policy refuses the version in a stage, the stage's mirror stays, with a warning.

    Raises
    ------
    Conflict
        Another process is moving these refs.
    """
    snapshot = branch.snapshot()
    tags = list(_tags(branch, snapshot))
    branch.repository.update_refs(tags, reason="gitreg: sync")  # before policies ask for signatures
    moves = mirror_moves(branch, snapshot, lambda: context)
    moves.tell()
    branch.repository.update_refs(moves.due, reason="gitreg: sync")
    return [update.name for update in (*tags, *moves.due)]


def _tags(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[RefUpdate]:
    repository, settings, index = branch.repository, snapshot.settings, snapshot.index
    there = repository.refs(tag_prefix(settings))
    for model, name, _ in index.last_touched(snapshot.seq, "model_version"):
        ref = tag_ref(settings, model, name)
        entry = index.get(snapshot.seq, "model_version", model, name) if ref not in there else None
        said = readings(snapshot, entry) if entry is not None else []
        if not said:
            continue  # the tag exists, or the record is gone or was never readable
        moment = index.moment(said[-1].since)
        if not moment.boundary:  # at a boundary, the commit that brought the record is unknown
            assert said[-1].data is not None
            yield RefUpdate(ref, build_seal(repository, settings, moment.oid, said[-1].data, said[-1].digest)[1], None)
