"""The commands that sign approvals: of a version for a stage, and of proposed settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from gitreg.documents.layout import MAX_BYTES, REGISTRY_FILE
from gitreg.errors import InvalidInput, NotFound
from gitreg.git.history.history import NO_SUCH_COMMIT
from gitreg.policy.approval import NAMESPACE
from gitreg.registry.operations import approvals, settings
from gitreg.registry.operations.approvals import Approver
from gitreg.registry.state.branch import seconds_of

if TYPE_CHECKING:
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.session import PathLike, Session

_DAY = 86400  # seconds


def approve(
    session: Session,
    reference: str,
    stage: str,
    *,
    key: PathLike | None = None,
    until: str | None = None,
    reason: str = "",
) -> Outcome:
    """Sign an approval of a version for a stage and return the outcome of the commit.

    See :func:`gitreg.registry.operations.approvals.approve`.

    Parameters
    ----------
    key:
        The file of the SSH key to sign with; None takes the key that Git signs with.
    until:
        The end of the approval: a date, or a number of days from now (``14d``); None means no end.

    Raises
    ------
    InvalidInput
        Git has no name or e-mail for the user, or ``until`` is neither form or in the past.
    """
    operation = partial(
        approvals.approve,
        reference=reference,
        stage=stage,
        approver=_approver(session, key),
        when=session.environment.timestamp(),
        until=_end(session, until),
        reason=reason,
        context=session.context(),
    )
    return session.commit(operation)


def approve_settings(
    session: Session, head: str = "HEAD", *, key: PathLike | None = None, until: str | None = None, reason: str = ""
) -> Outcome:
    """Sign an approval of a proposed ``gitreg.yaml`` and return the outcome of the commit.

    See :mod:`gitreg.registry.operations.settings`. The other parameters are those of `approve`.

    Parameters
    ----------
    head:
        The proposed commit that changes ``gitreg.yaml``.

    Raises
    ------
    NotFound
        There is no such commit, or no ``gitreg.yaml`` in it.
    """
    proposed, authors = _proposed_settings(session, head)
    operation = partial(
        settings.approve_settings,
        proposed=proposed,
        authors=authors,
        approver=_approver(session, key),
        when=session.environment.timestamp(),
        until=_end(session, until),
        reason=reason,
    )
    return session.commit(operation)


def _approver(session: Session, key: PathLike | None) -> Approver:
    """Return the user as an approver, with the key to sign with."""
    repository = session.branch.repository
    user = session.writer().author

    def signer(payload: bytes, signature: bytes, keys: Mapping[str, Sequence[str]]) -> str | None:
        return repository.statement_signer(payload, signature, namespace=NAMESPACE, keys=keys)

    file = os.fspath(key) if key is not None else None
    sign = partial(repository.sign_statement, namespace=NAMESPACE, key=file)
    return Approver((user.email, user.name), sign, signer)


def _proposed_settings(session: Session, head: str) -> tuple[bytes, list[str]]:
    """Return the content of ``gitreg.yaml`` at a commit, and the e-mails of its author and its committer."""
    branch = session.branch
    commit = branch.repository.resolve(head)
    file = f"{branch.root}/{REGISTRY_FILE}" if branch.root else REGISTRY_FILE
    content = branch.repository.read(commit, file, limit=MAX_BYTES) if commit else None
    if commit is None or content is None:
        problem = f"there is no {file} at {head}" if commit else f"there is no commit {head!r} here"
        raise NotFound(problem, hint=NO_SUCH_COMMIT)
    made = branch.repository.commit(commit)
    return content, [made.author.email, made.committer.email]


def _end(session: Session, until: str | None) -> str | None:
    """Return the end of an approval in RFC 3339, from a date or a number of days from now (``14d``)."""
    if until is None:
        return None
    now = session.environment.clock()
    days = re.fullmatch(r"([0-9]{1,5})d", until)
    time = int(now) + int(days[1]) * _DAY if days else seconds_of(until)
    if time is None:
        raise InvalidInput(f"{until!r} is no date and no number of days", hint="write 14d, or 2026-12-24")
    if time <= now:
        raise InvalidInput(f"{until!r} is over already", hint="an approval expires later than now")
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
