"""A remote's branch that went to what does not follow: refused in words, or followed because a person said so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitreg.errors import NotFound, Refused
from gitreg.git import Repository
from gitreg.registry.fixed_fields import FIXED
from gitreg.registry.ledger import Ledger
from gitreg.registry.places import settings_said
from gitreg.registry.snapshot import Snapshot

_FIXED = ("branch", "prefix")


class StageMove(NamedTuple):
    """A stage that another version holds than before.

    Parameters
    ----------
    before, after:
        The versions' names; None where nobody holds it.
    """

    stage: str
    before: str | None
    after: str | None


class Rewrite(NamedTuple):
    """The losses and changes of a rewritten history.

    Parameters
    ----------
    gone:
        The commits that the branch had and lost, newest first: their ids and subjects.
    stages:
        The stages that move with it, as ``iris@production``.
    """

    gone: tuple[tuple[str, str], ...]
    stages: tuple[StageMove, ...]


def refusal(
    repository: Repository, root: str, before: str, after: str, *, remote: str, branch: str, url: str
) -> Refused:
    """Return the error for a branch that went to what does not follow from where it was.

    Parameters
    ----------
    root:
        The registry's folder in the branch.
    before, after:
        Where the branch was when all was well, and where it is.
    remote:
        How to speak of the remote.
    url:
        The address by which the registry is named; "" for a clone.
    """
    hint = f"find out who did it; if it was meant: `gitreg {f'--repo {url} ' if url else ''}pull --accept-rewrite`"
    ids = [(settings_said(repository, commit, root) or {}).get("id") for commit in (before, after)]
    if (all(ids) and ids[0] != ids[1]) or _share_nothing(repository, before, after):
        return Refused(f"{remote} is another registry than before", hint=hint)
    return Refused(
        f"the history of {remote} ({branch}) was rewritten: it was at {before[:12]} and is at {after[:12]}, which does "
        "not follow",
        hint=hint,
    )


def check_fixed(repository: Repository, root: str, before: str, after: str) -> None:
    """Refuse a rewritten history in which the same registry has another branch or prefix.

    Raises
    ------
    Refused
        It has.
    """
    was, now = (settings_said(repository, commit, root) or {} for commit in (before, after))
    if was.get("id") is None or was["id"] != now.get("id"):
        return  # another registry, or none that could be told from it
    for field in _FIXED:
        if was.get(field) != now.get(field):
            raise Refused(
                f"gitreg.yaml at /{field}: cannot change once there are versions ({was.get(field)})",
                hint="ask who rewrote the history to leave it as it was",
            )


def changed_field(repository: Repository, root: str, before: str, after: str) -> str | None:
    """Return a field of ``gitreg.yaml`` that differs between two commits though it cannot change."""
    was, now = (settings_said(repository, commit, root) for commit in (before, after))
    if not was or not now:  # what cannot be read says nothing of it
        return None
    fields = FIXED if was.get("id") else _FIXED  # an old registry is given its id later
    return next((field for field in fields if was.get(field) != now.get(field)), None)


def describe(ledger: Ledger, before: str, after: str) -> Rewrite | None:
    """Return what went and moved from one commit to another; None where the second follows from the first."""
    repository = ledger.repository
    if repository.is_ancestor(before, after):
        return None
    _, gone = repository.ahead(before, after)
    subjects = tuple((commit.oid, commit.message.partition("\n")[0]) for commit in gone)
    return Rewrite(subjects, tuple(_stage_moves(_holders(ledger, before), _holders(ledger, after))))


def _stage_moves(was: dict[str, str], now: dict[str, str]) -> Iterator[StageMove]:
    for stage in sorted({*was, *now}):
        if was.get(stage) != now.get(stage):
            yield StageMove(stage, was.get(stage), now.get(stage))


def _holders(ledger: Ledger, commit: str) -> dict[str, str]:
    try:
        snapshot: Snapshot = ledger.snapshot_at(commit)
    except NotFound:  # it was cut off, and is not here any more
        return {}
    return {f"{e.model}@{e.name}": e.data["version"] for e in snapshot.index.scan(snapshot.seq, "stage") if e.data}


def _share_nothing(repository: Repository, before: str, after: str) -> bool:
    """Return whether two commits have no history in common; what was cut off may have been."""
    common, gone = repository.ahead(before, after)
    return common is None and not any(repository.is_boundary(commit.oid) for commit in gone)
