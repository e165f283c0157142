"""The update of derived refs in the repository of the branch: a self-hosted server, or a clone without a remote.

An existing tag is kept and not read, as each push would have to read every tag of the registry. The push rules, `gitreg
sync` and `gitreg doctor` check tags.
"""

from __future__ import annotations

from gitreg.git import RefUpdate
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.remote.mirror_moves import mirror_moves
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.registry_refs import tag_prefix
from gitreg.registry.state.seals import wanted_tags


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
    snapshot, repository = branch.snapshot(), branch.repository
    settings = snapshot.settings
    wanted = wanted_tags(snapshot, repository.refs(tag_prefix(settings)))
    tags = [RefUpdate(tag.ref, tag.build(repository, settings), None) for tag in wanted]
    repository.update_refs(tags, reason="gitreg: sync")  # before policies ask for signatures
    moves = mirror_moves(branch, snapshot, lambda: context)
    moves.tell()
    repository.update_refs(moves.due, reason="gitreg: sync")
    return [update.name for update in (*tags, *moves.due)]
