"""Versions whose record came without its history: what can be held against it is asked of the remote."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from gitreg.errors import IntegrityError, InvalidDocument, Refused
from gitreg.registry.cut_history import is_cut, note_held, was_held

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactDocument
    from gitreg.registry.ledger import Ledger
    from gitreg.registry.snapshot import ModelVersion, Snapshot
    from gitreg.registry.upstream import Upstream
    from gitreg.sdk.opened import OpenRegistry


def hold(registry: OpenRegistry, snapshot: Snapshot, version: ModelVersion) -> bool:
    """Hold a version whose history was cut off against its tag, or else against the history, which is fetched then.

    Returns
    -------
    bool:
        Whether the history was fetched: the reference is to be resolved again, which holds the record against it.

    Raises
    ------
    IntegrityError
        Its tag seals another record; or there is none, and the remote has no more history than is here.
    Unreachable, NotFound
        The remote does not answer.
    """
    ledger = registry.ledger
    if not is_cut(snapshot, version) or was_held(ledger, snapshot, version):
        return False
    # What follows is done once for a version: the next reader ends above.
    from gitreg.registry.commit import PATIENCE
    from gitreg.registry.derived import tag_ref
    from gitreg.registry.integrity import is_sealed, seal_problem

    remote = _remote(registry)
    if not is_sealed(ledger, snapshot, version):
        if remote is None:
            raise IntegrityError(
                f"{version.reference} is not verified: it came without history, and its tag is not here",
                hint="`git fetch --unshallow` brings the history; by URL, open it once without GITREG_OFFLINE",
            )
        with ledger.repository.lock(timeout=PATIENCE):
            remote.fetch_seal(tag_ref(snapshot.settings, version.model, version.version))
    if not is_sealed(ledger, snapshot, version) and remote is not None:
        if _fetched(ledger, remote):
            return True
        raise IntegrityError(
            f"{version.reference} is not verified: it came without history, and the remote has no tag of it",
            hint="`gitreg sync` in a whole clone makes the tag",
        )
    if problem := seal_problem(ledger, snapshot, version):
        raise IntegrityError(f"{version.reference}: {problem}", hint=_FIND_OUT)
    if field := _changed_since(ledger, snapshot, version):
        if remote is not None and _fetched(ledger, remote):
            return True  # and the history says whether it may be so, and since when it is
        raise Refused(
            f"gitreg.yaml at /{field}: is not what it was when {version.reference} was sealed",
            hint="`gitreg log` in a clone with the whole history names the commit",
        )
    note_held(ledger, snapshot, version)
    return False


def sealed_artifact(registry: OpenRegistry, reference: str) -> ArtifactDocument:
    """Return the version of an artifact that is meant, held against its history, which is fetched where it was cut off.

    Raises
    ------
    NotFound, InvalidInput
        There is none such, or several may be meant.
    IntegrityError
        Its record was edited, or its history cannot be had.
    Unreachable
        The remote does not answer.
    """
    from gitreg.registry.collections import resolve_artifact

    ledger = registry.ledger
    if ledger.repository.is_shallow and (remote := _remote(registry)) is not None:
        _fetched(ledger, remote)
    snapshot = registry.snapshot()
    document = resolve_artifact(snapshot, reference)
    said = snapshot.index.history(snapshot.seq, "artifact", document.artifact, str(document.version))
    if snapshot.index.moment(said[-1].since).boundary:
        raise IntegrityError(
            f"{document.reference} is not verified: it came without history",
            hint="`git fetch --unshallow` brings the history; by URL, open it once without GITREG_OFFLINE",
        )
    return document


def _fetched(ledger: Ledger, remote: Upstream) -> bool:
    """Fetch the history that was cut off; return whether it came."""
    from gitreg.registry.commit import PATIENCE

    with ledger.repository.lock(timeout=PATIENCE):
        remote.fetch()
    return not ledger.repository.is_shallow


def _changed_since(ledger: Ledger, snapshot: Snapshot, version: ModelVersion) -> str | None:
    """Return a field of ``gitreg.yaml`` that cannot change, and is not what it was when a version was sealed."""
    from gitreg.registry.derived import tag_ref
    from gitreg.registry.rewrites import changed_field

    oid = ledger.repository.read_ref(tag_ref(snapshot.settings, version.model, version.version))
    sealed_at = ledger.repository.peel(oid) if oid else None
    return changed_field(ledger.repository, ledger.root, sealed_at, snapshot.commit) if sealed_at else None


def hold_branch(registry: OpenRegistry) -> None:
    """Fetch the history of a registry that says another branch than the one on which it is: it tells which was first.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    ledger, said = registry.ledger, None
    with suppress(InvalidDocument):  # who reads by it hears of it
        said = ledger.snapshot().settings.branch
    if said != ledger.branch and (remote := _remote(registry)) is not None:
        _fetched(ledger, remote)


def fetch_history(registry: OpenRegistry) -> None:
    """Bring the history that was cut off, and the tags of all versions, where there is a remote that has them.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    remote = _remote(registry) if registry.ledger.repository.is_shallow else None
    if remote is not None:
        remote.fetch()
        remote.fetch_tags(registry.snapshot())


def fetch_tags(registry: OpenRegistry, versions: Sequence[ModelVersion]) -> None:
    """Bring the tags of versions into a mirror: without git, or once its history was fetched, it has none yet.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    remote = _remote(registry) if registry.is_mirror else None
    if remote is not None:
        remote.fetch_tags(registry.snapshot(), versions)


def _remote(registry: OpenRegistry) -> Upstream | None:
    """Return where the rest can come from: the declared remote, else that of the clone; None where none is asked."""
    if registry.ambient.offline or registry.local:
        return None
    if (upstream := registry.upstream) is not None:
        return upstream
    if registry.ledger.repository.remote_url("origin") is None:
        return None
    from gitreg.registry.upstream import Upstream

    return Upstream(registry.ledger, "origin", registry.ambient.clock)


_FIND_OUT = "find out who changed it: `gitreg doctor` in a clone with the whole history names the commit"
