"""The verification of records whose history a shallow clone lacks, by tags and history that are fetched on demand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from gitreg.errors import IntegrityError, InvalidDocument, Refused
from gitreg.registry.state.branch import PATIENCE, RegistryBranch
from gitreg.registry.state.cut_history import has_seal_note, is_cut, write_seal_note
from gitreg.registry.state.registry_refs import tag_ref
from gitreg.registry.state.runs_and_artifacts import resolve_artifact
from gitreg.registry.state.seals import is_sealed, seal_problem

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactDocument
    from gitreg.registry.remote.upstream import Upstream
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot
    from gitreg.sdk.session import Session


def hold(session: Session, snapshot: Snapshot, version: ModelVersion) -> bool:
    """Verify a version whose history is cut off against its tag, or else against its history, which is fetched for it.

    Returns
    -------
    bool:
        True if the history was fetched: the reference has to be resolved again, which verifies the record by it.

    Raises
    ------
    IntegrityError
        The tag seals another record; or there is no tag, and the remote has no more history than the clone.
    Refused
        A field of ``gitreg.yaml`` that must not change was changed after the version was sealed.
    Unreachable, NotFound
        The remote does not answer.
    """
    branch = session.branch
    if not is_cut(snapshot, version) or has_seal_note(branch, snapshot, version):
        return False
    # The rest runs once for a version: the result is noted, and later calls return above.
    remote = _remote(session)
    if not is_sealed(branch, snapshot, version):
        if remote is None:
            raise IntegrityError(
                f"{version.reference} is not verified: it came without history, and its tag is not here",
                hint="`git fetch --unshallow` brings the history; by URL, open it once without GITREG_OFFLINE",
            )
        with branch.repository.lock(timeout=PATIENCE):
            remote.fetch_seal(tag_ref(snapshot.settings, version.model, version.version))
    if not is_sealed(branch, snapshot, version) and remote is not None:
        if _fetched(branch, remote):
            return True
        raise IntegrityError(
            f"{version.reference} is not verified: it came without history, and the remote has no tag of it",
            hint="`gitreg sync` in a whole clone makes the tag",
        )
    if problem := seal_problem(branch, snapshot, version):
        raise IntegrityError(f"{version.reference}: {problem}", hint=_FIND_OUT)
    if field := _changed_since(branch, snapshot, version):
        if remote is not None and _fetched(branch, remote):
            return True  # the history shows whether the change is allowed, and its date
        raise Refused(
            f"gitreg.yaml at /{field}: is not what it was when {version.reference} was sealed",
            hint="`gitreg log` in a clone with the whole history names the commit",
        )
    write_seal_note(branch, snapshot, version)
    return False


def sealed_artifact(session: Session, reference: str) -> ArtifactDocument:
    """Return the artifact version that a reference names, verified by its history, which is fetched if it is cut off.

    Raises
    ------
    NotFound, InvalidInput
        There is no such version, or several match.
    IntegrityError
        The record was edited, or its history cannot be fetched.
    Unreachable
        The remote does not answer.
    """
    branch = session.branch
    if branch.repository.is_shallow and (remote := _remote(session)) is not None:
        _fetched(branch, remote)
    snapshot = session.snapshot()
    document = resolve_artifact(snapshot, reference)
    places = snapshot.index.history(snapshot.seq, "artifact", document.artifact, str(document.version))
    if snapshot.index.moment(places[-1].since).boundary:
        raise IntegrityError(
            f"{document.reference} is not verified: it came without history",
            hint="`git fetch --unshallow` brings the history; by URL, open it once without GITREG_OFFLINE",
        )
    return document


def _fetched(branch: RegistryBranch, remote: Upstream) -> bool:
    """Fetch the history that is cut off, and return whether it is complete now."""
    with branch.repository.lock(timeout=PATIENCE):
        remote.fetch()
    return not branch.repository.is_shallow


def _changed_since(branch: RegistryBranch, snapshot: Snapshot, version: ModelVersion) -> str | None:
    """Return a fixed field of ``gitreg.yaml`` that has changed since a version was sealed; None if there is none."""
    from gitreg.registry.remote.rewrites import changed_field

    oid = branch.repository.read_ref(tag_ref(snapshot.settings, version.model, version.version))
    sealed_at = branch.repository.peel(oid) if oid else None
    return changed_field(branch.repository, branch.root, sealed_at, snapshot.commit) if sealed_at else None


def hold_branch(session: Session) -> None:
    """Fetch the history of a registry whose ``gitreg.yaml`` names another branch than its own; it shows the first name.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    branch, declared = session.branch, None
    with suppress(InvalidDocument):  # a read that needs the settings raises it
        declared = branch.snapshot().settings.branch
    if declared != branch.name and (remote := _remote(session)) is not None:
        _fetched(branch, remote)


def fetch_history(session: Session) -> None:
    """Fetch the history that is cut off, and the tags of all versions; without a remote, do nothing.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    remote = _remote(session) if session.branch.repository.is_shallow else None
    if remote is not None:
        remote.fetch()
        remote.fetch_tags(session.snapshot())


def fetch_tags(session: Session, versions: Sequence[ModelVersion]) -> None:
    """Fetch the tags of versions into a mirror, which may lack them; in a clone, do nothing.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    remote = _remote(session) if session.is_mirror else None
    if remote is not None:
        remote.fetch_tags(session.snapshot(), versions)


def _remote(session: Session) -> Upstream | None:
    """Return the remote to fetch from: the declared one, else ``origin``; None if offline, local or without one."""
    if session.environment.offline or session.local:
        return None
    if (upstream := session.upstream) is not None:
        return upstream
    if session.branch.repository.remotes.url("origin") is None:
        return None
    from gitreg.registry.remote.upstream import Upstream

    return Upstream(session.branch, "origin", session.environment.clock)


_FIND_OUT = "find out who changed it: `gitreg doctor` in a clone with the whole history names the commit"
