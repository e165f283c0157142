"""Functions that open registries, and find versions by reference; the record of each is verified."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from gitreg.errors import InvalidInput, NotFound
from gitreg.names import nfc, reference_text
from gitreg.registry.state.references import resolve
from gitreg.sdk.session import PathLike, Session

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import ModelVersion, Snapshot


def open_session(path: PathLike) -> Session:
    """Open the registry that a folder or a URL belongs to, as :meth:`gitreg.Registry.open` does."""
    session = Session.open(path)
    check_mirror(session)
    return session


def check_mirror(session: Session) -> None:
    """Close a shallow mirror and raise, unless its history shows that its branch is the registry's own.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    if session.is_mirror and session.branch.repository.is_shallow:
        from gitreg.sdk.verbs.sealed import hold_branch  # a whole clone never needs it

        try:
            hold_branch(session)
        except BaseException:
            session.close()
            raise


def find_version(session: Session, reference: str, *, at: str | None = None) -> ModelVersion:
    """Return the version that a reference names (:meth:`gitreg.Registry.version`)."""
    reference = reference_text(reference)
    model, _, selector = nfc(reference).rpartition("@")
    if selector == "draft" or selector.startswith("draft:"):
        if at is not None:
            raise InvalidInput("a draft has no history", hint="leave out the date or commit")
        from gitreg.sdk.verbs.drafts import draft_of_model  # a sealed version is read without all that drafts need

        return draft_of_model(session, model, selector.partition(":")[2] or None)
    snapshot, version = _verified(session, reference, at)
    warn_of_unreadable(snapshot, version.model, stacklevel=4)
    return version


def sealed_version(session: Session, reference: str, *, withdrawn: bool = False, at: str | None = None) -> ModelVersion:
    """Return a sealed version whose record is verified by its history, in a shallow clone by its tag.

    Parameters
    ----------
    withdrawn:
        True to return a yanked or deleted version, too.
    at:
        A date or a commit: the registry as it was then. None means now.
    """
    return _verified(session, reference, at, withdrawn=withdrawn)[1]


def warn_of_unreadable(snapshot: Snapshot, model: str | None = None, *, stacklevel: int = 3) -> None:
    """Warn of files that cannot be read and are left out.

    Parameters
    ----------
    stacklevel:
        The number of calls up to the code that the warning is for, as for :func:`warnings.warn`.
    """
    if found := snapshot.unreadable(model):
        more = f", nor can {len(found) - 1} more" if len(found) > 1 else ""
        warnings.warn(
            f"left out, for it cannot be read: {found[0].problem}{more} (see `gitreg doctor`)", stacklevel=stacklevel
        )


def _verified(
    session: Session, reference: str, at: str | None, *, withdrawn: bool = False
) -> tuple[Snapshot, ModelVersion]:
    """Return a verified version with the snapshot that it was resolved in."""
    snapshot = session.snapshot(at)
    version = _resolve(session, snapshot, reference, withdrawn)
    if session.branch.repository.is_shallow:
        from gitreg.sdk.verbs.sealed import hold  # a whole clone never needs it

        if hold(session, snapshot, version):
            snapshot = session.snapshot(at)
            version = _resolve(session, snapshot, reference, withdrawn)
    return snapshot, version


def _resolve(session: Session, snapshot: Snapshot, reference: str, withdrawn: bool) -> ModelVersion:
    """Resolve a reference; on failure, add the time since the last fetch from the remote to the hint."""
    try:
        return resolve(snapshot, reference, withdrawn=withdrawn)
    except NotFound as error:
        if (age := _age(session)) is None:
            raise
        known = f"the remote was last asked {age} ago; --fetch asks it first"
        raise NotFound(error.message, hint=f"{error.hint}; {known}" if error.hint else known) from None


def _age(session: Session) -> str | None:
    """Return the time since the last fetch as text (``5 minutes``); None without a remote, or below one minute."""
    upstream = None if session.is_mirror else session.upstream
    asked = upstream.fetched_at if upstream else None
    minutes = 0 if asked is None else int(session.environment.clock() - asked) // 60
    if minutes < 1:
        return None
    count, unit = (
        (minutes, "minute") if minutes < 60 else (minutes // 60, "hour") if minutes < 2880 else (minutes // 1440, "day")
    )
    return f"{count} {unit}{'' if count == 1 else 's'}"
