"""Hooks of a server of one's own: before refs move, and after."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from gitreg.git import RefUpdate, Repository
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.ledger import Ledger
from gitreg.registry.places import places

if TYPE_CHECKING:
    from gitreg.registry.soundness import Problem
    from gitreg.sdk.ambient import Ambient


def pre_receive(
    repository: Repository, ambient: Ambient, updates: Sequence[RefUpdate], *, one_by_one: bool = False
) -> list[Problem]:
    """Name what forbids a push (:func:`gitreg.registry.guarding.guard`).

    Soak times count by this machine's clock; commands of a policy are not run, and so let nobody pass.

    Parameters
    ----------
    one_by_one:
        Whether the ``update`` hook asks, for one ref of a push after the other.

    Raises
    ------
    Conflict
        Somebody else has moved one of the refs meanwhile.
    """
    from gitreg.registry.guarding import guard  # half of a push's time is imports, and each hook needs others

    guarded = (repository.option("gitreg.settings") or "").lower() != "allow"

    def here(ledger: Ledger) -> Circumstances:
        return Circumstances(now=ambient.clock, ledger=ledger, settings_guarded=guarded)

    return guard(repository, updates, here, one_by_one=one_by_one)


def post_receive(repository: Repository, updates: Sequence[RefUpdate]) -> list[str]:
    """Make the tags and move the mirrors that follow from the branches that were pushed; give their names.

    Raises
    ------
    Conflict
        Others are moving them.
    """
    from gitreg.registry.commit import PATIENCE
    from gitreg.registry.following import follow

    moved: list[str] = []
    pushed = {update.name for update in updates if update.new is not None}
    for place in places(repository, updates):
        with closing(Ledger(repository, *place)) as ledger:
            if ledger.ref in pushed:
                with repository.lock(timeout=PATIENCE):
                    moved += follow(ledger)
    return moved
