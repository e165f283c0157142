"""Where the mirrors of stages and aliases have to be, and which of them may go there.

A mirror follows its pointer's file. One of a stage whose holder the policy refuses stays where it is, whoever would
move it: what follows refs (a deployment, a protected branch of a forge) goes on with who was let in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gitreg.documents.layout import Key
from gitreg.git import RefUpdate
from gitreg.registry.derived import mirror_namespace, mirror_ref, parse_mirror_ref
from gitreg.registry.ledger import Ledger
from gitreg.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from gitreg.policy.deciding import Decision
    from gitreg.registry.circumstances import Circumstances


class MirrorMoves(NamedTuple):
    """What becomes of the mirrors that are not where their pointers' files last changed.

    Parameters
    ----------
    due:
        Those that move.
    refused:
        Those that stay, and what the policy made of who holds their stages.
    """

    due: list[RefUpdate]
    refused: dict[str, Decision]

    def tell(self) -> None:
        """Warn of those that stay."""
        if not self.refused:
            return
        from gitreg.registry.holders import sentence

        for ref, decision in self.refused.items():
            # Of one place, so that a command that comes by twice says it once.
            warnings.warn(f"{ref} stays where it is: {sentence(decision)}", stacklevel=1)


def mirror_updates(ledger: Ledger, snapshot: Snapshot) -> list[RefUpdate]:
    """Return where each mirror of stages and aliases has to be: at the last commit that touched its pointer's file."""
    settings = snapshot.settings
    there: dict[str, str] = {}
    for kind in ("stage", "alias"):
        there.update(ledger.repository.refs(f"{mirror_namespace(settings, kind)}/"))
    updates = []
    for kind in ("stage", "alias"):
        for model, name, seq in snapshot.index.last_touched(snapshot.seq, kind):
            moment = snapshot.index.moment(seq)
            if not moment.boundary:  # when its file last changed was cut off
                ref = mirror_ref(settings, Key(kind, model, name))
                updates.append(RefUpdate(ref, moment.oid, there.get(ref)))
    return updates


def mirror_moves(
    ledger: Ledger,
    snapshot: Snapshot,
    circumstances: Callable[[], Circumstances],
    *,
    there: Mapping[str, str] | None = None,
) -> MirrorMoves:
    """Return the mirrors that are elsewhere than they have to be; the policy is asked of those of stages.

    Parameters
    ----------
    circumstances:
        What a policy may ask; called where one is asked.
    there:
        Where the mirrors of another repository are; None for those of this one.
    """
    updates = mirror_updates(ledger, snapshot)
    if there is not None:
        updates = [update._replace(old=there.get(update.name)) for update in updates]
    due = [update for update in updates if update.old != update.new]
    keys = (parse_mirror_ref(snapshot.settings, update.name) for update in due)
    stages = [key for key in keys if key is not None and key.kind == "stage"]
    if not stages:
        return MirrorMoves(due, {})
    from gitreg.registry.holders import is_refused, judged, pointer  # policies take long to import

    refused = {
        mirror_ref(snapshot.settings, pointer(decision)): decision
        for decision in judged(snapshot, circumstances, stages)
        if is_refused(decision)
    }
    return MirrorMoves([update for update in due if update.name not in refused], refused)
