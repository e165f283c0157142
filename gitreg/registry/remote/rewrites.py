"""The rewritten history of a remote's branch: the refusal, and the report of what was lost when a person accepts it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitreg.errors import NotFound, Refused
from gitreg.git import Repository
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.fixed_fields import FIXED
from gitreg.registry.state.settings_file import settings_data
from gitreg.registry.state.snapshot import Snapshot

_FIXED = ("branch", "prefix")


class StageMove(NamedTuple):
    """A stage with another holder after the rewrite.

    Parameters
    ----------
    stage:
        The stage, as ``iris@production``.
    before, after:
        The versions' names; None if no version holds it.
    """

    stage: str
    before: str | None
    after: str | None


class Rewrite(NamedTuple):
    """The losses and changes of a rewritten history.

    Parameters
    ----------
    gone:
        Id and subject of each commit that the branch lost, newest first.
    stages:
        The stages with another holder.
    """

    gone: tuple[tuple[str, str], ...]
    stages: tuple[StageMove, ...]


def refusal(
    repository: Repository, root: str, before: str, after: str, *, remote: str, branch: str, url: str
) -> Refused:
    """Return the error for a remote branch that does not follow from its former commit.

    Parameters
    ----------
    root:
        The registry's folder in the branch.
    before, after:
        The last accepted commit of the branch, and its commit now.
    remote:
        The name of the remote, for the message.
    branch:
        The short name of the branch.
    url:
        The URL by which the registry was opened; "" for a clone.
    """
    hint = f"find out who did it; if it was meant: `gitreg {f'--repo {url} ' if url else ''}pull --accept-rewrite`"
    ids = [(settings_data(repository, commit, root) or {}).get("id") for commit in (before, after)]
    if (all(ids) and ids[0] != ids[1]) or _share_nothing(repository, before, after):
        return Refused(f"{remote} is another registry than before", hint=hint)
    return Refused(
        f"the history of {remote} ({branch}) was rewritten: it was at {before[:12]} and is at {after[:12]}, which does "
        "not follow",
        hint=hint,
    )


def check_fixed(repository: Repository, root: str, before: str, after: str) -> None:
    """Raise an error if a rewritten history changes branch or prefix of the same registry.

    Raises
    ------
    Refused
        The branch or the prefix in ``gitreg.yaml`` differs.
    """
    was, now = (settings_data(repository, commit, root) or {} for commit in (before, after))
    if was.get("id") is None or was["id"] != now.get("id"):
        return  # another registry, or no ids to compare
    for field in _FIXED:
        if was.get(field) != now.get(field):
            raise Refused(
                f"gitreg.yaml at /{field}: cannot change once there are versions ({was.get(field)})",
                hint="ask who rewrote the history to leave it as it was",
            )


def changed_field(repository: Repository, root: str, before: str, after: str) -> str | None:
    """Return a fixed field of ``gitreg.yaml`` that differs between two commits; None if there is none."""
    was, now = (settings_data(repository, commit, root) for commit in (before, after))
    if not was or not now:  # missing or unreadable settings cannot be compared
        return None
    fields = FIXED if was.get("id") else _FIXED  # an old registry gets its id later
    return next((field for field in fields if was.get(field) != now.get(field)), None)


def describe(branch: RegistryBranch, before: str, after: str) -> Rewrite | None:
    """Return the lost commits and moved stages between two commits; None if the second follows from the first."""
    repository = branch.repository
    if repository.is_ancestor(before, after):
        return None
    _, gone = repository.ahead(before, after)
    subjects = tuple((commit.oid, commit.message.partition("\n")[0]) for commit in gone)
    return Rewrite(subjects, tuple(_stage_moves(_holders(branch, before), _holders(branch, after))))


def _stage_moves(was: dict[str, str], now: dict[str, str]) -> Iterator[StageMove]:
    for stage in sorted({*was, *now}):
        if was.get(stage) != now.get(stage):
            yield StageMove(stage, was.get(stage), now.get(stage))


def _holders(branch: RegistryBranch, commit: str) -> dict[str, str]:
    try:
        snapshot: Snapshot = branch.snapshot_at(commit)
    except NotFound:  # this clone does not have the commit any more
        return {}
    return {f"{e.model}@{e.name}": e.data["version"] for e in snapshot.index.scan(snapshot.seq, "stage") if e.data}


def _share_nothing(repository: Repository, before: str, after: str) -> bool:
    """Return whether two commits have no history in common; False if a shallow clone cannot know."""
    common, gone = repository.ahead(before, after)
    return common is None and not any(repository.is_boundary(commit.oid) for commit in gone)
