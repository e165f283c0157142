"""Hooks of a server of one's own: before refs move, and after."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from gitreg.git import RefUpdate, Repository
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.ledger import Ledger
from gitreg.registry.places import places, standing
from gitreg.registry.receipts import BY_PUSH, Receipt, read_receipts, write_receipt

if TYPE_CHECKING:
    from gitreg.registry.soundness import Problem
    from gitreg.sdk.ambient import Ambient


def pre_receive(
    repository: Repository, ambient: Ambient, updates: Sequence[RefUpdate], *, one_by_one: bool = False
) -> list[Problem]:
    """Name what forbids a push (:func:`gitreg.registry.guarding.guard`).

    Soak times count by this machine's clock: where a branch has moved and nobody noted when, it counts as seen now.
    Commands of a policy are not run, and so let nobody pass.

    Parameters
    ----------
    one_by_one:
        Whether the ``update`` hook asks, for one ref of a push after the other.

    Raises
    ------
    Conflict
        Somebody else has moved one of the refs meanwhile, or held the repository all the time.
    """
    from gitreg.registry.guarding import guard  # half of a push's time is imports, and each hook needs others

    guarded = (repository.option("gitreg.settings") or "").lower() != "allow"

    def here(ledger: Ledger) -> Circumstances:
        if any(update.name == ledger.ref for update in updates):
            _note_where_it_is(ledger, ambient, "update" if one_by_one else "pre-receive")
        return Circumstances(now=ambient.clock, ledger=ledger, settings_guarded=guarded)

    return guard(repository, updates, here, one_by_one=one_by_one)


def post_receive(repository: Repository, ambient: Ambient, updates: Sequence[RefUpdate]) -> list[str]:
    """Note when registries' branches moved, and move the tags and mirrors that follow from them; give their names.

    Raises
    ------
    Conflict
        Others are moving them.
    """
    from gitreg.registry.commit import PATIENCE
    from gitreg.registry.following import follow

    moved: list[str] = []
    pushed = {update.name: update.new for update in updates if update.new is not None}
    for place in places(repository, updates):
        with closing(Ledger(repository, *place)) as ledger:
            if ledger.ref in pushed:
                with repository.lock(timeout=PATIENCE):
                    receipt = Receipt(ledger.ref, pushed[ledger.ref], int(ambient.clock()), BY_PUSH)
                    write_receipt(repository, receipt)
                    moved += follow(ledger, Circumstances(now=ambient.clock, ledger=ledger))
    return moved


def note_what_is_there(repository: Repository, ambient: Ambient) -> None:
    """Write the first receipt of each registry's branch that has none: what is there now was not pushed later.

    Raises
    ------
    Conflict
        Somebody else held the repository all the time.
    """
    for place in standing(repository):
        with closing(Ledger(repository, *place)) as ledger:
            if not read_receipts(repository, ledger.ref):
                _note_where_it_is(ledger, ambient, "hooks install")


def _note_where_it_is(ledger: Ledger, ambient: Ambient, by: str) -> None:
    """Write a receipt of where a branch is, if it has moved since the last one: it was there by now at the latest."""
    from gitreg.registry.commit import PATIENCE

    with ledger.repository.lock(timeout=PATIENCE):
        commit = ledger.head()
        if commit is not None:
            write_receipt(ledger.repository, Receipt(ledger.ref, commit, int(ambient.clock()), by))
