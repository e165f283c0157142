"""The context of promotions and approvals on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from gitreg.errors import InvalidInput
from gitreg.git.history.history import NO_SUCH_COMMIT
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.state.branch import seconds_of

if TYPE_CHECKING:
    from gitreg.registry.operations.approvals import Approver
    from gitreg.sdk.session import Session

_DAY = 86400  # seconds


def context(registry: Session) -> PromotionContext:
    """Return the context of a promotion made here and now; each gate reads from it the values that it needs."""
    return PromotionContext(
        promoter=lambda: registry.writer().author.email,
        now=registry.environment.clock,
        branch=registry.branch,
        source=lambda: registry.stores,
        proposing=registry.proposing,
    )


def approver(registry: Session, key: str | None) -> Approver:
    """Return the user as an approver, with the key to sign with.

    Parameters
    ----------
    key:
        The file of an SSH key; None takes the key that Git signs with.

    Raises
    ------
    InvalidInput
        Git has no name or e-mail for the user.
    """
    from gitreg.policy.approval import NAMESPACE
    from gitreg.registry.operations.approvals import Approver

    repository = registry.branch.repository
    who = registry.writer().author

    def signer(payload: bytes, signature: bytes, keys: Mapping[str, Sequence[str]]) -> str | None:
        return repository.statement_signer(payload, signature, namespace=NAMESPACE, keys=keys)

    sign = partial(repository.sign_statement, namespace=NAMESPACE, key=key)
    return Approver((who.email, who.name), sign, signer)


def proposed_settings(registry: Session, head: str) -> tuple[bytes, list[str]]:
    """Return the content of ``gitreg.yaml`` at a commit, and the e-mails of its author and its committer.

    Raises
    ------
    NotFound
        There is no such commit, or no ``gitreg.yaml`` in it.
    """
    from gitreg.documents.layout import MAX_BYTES, REGISTRY_FILE
    from gitreg.errors import NotFound

    branch = registry.branch
    commit = branch.repository.resolve(head)
    file = f"{branch.root}/{REGISTRY_FILE}" if branch.root else REGISTRY_FILE
    content = branch.repository.read(commit, file, limit=MAX_BYTES) if commit else None
    if commit is None or content is None:
        what = f"there is no {file} at {head}" if commit else f"there is no commit {head!r} here"
        raise NotFound(what, hint=NO_SUCH_COMMIT)
    made = branch.repository.commit(commit)
    return content, [made.author.email, made.committer.email]


def expiry(said: str, now: float) -> str:
    """Return the end of an approval in RFC 3339, from a date or a number of days from now (``14d``).

    Parameters
    ----------
    said:
        The date, or the number of days.
    now:
        The time in seconds since the epoch.

    Raises
    ------
    InvalidInput
        The text is neither, or the end is in the past.
    """
    days = re.fullmatch(r"([0-9]{1,5})d", said)
    time = int(now) + int(days[1]) * _DAY if days else seconds_of(said)
    if time is None:
        raise InvalidInput(f"{said!r} is no date and no number of days", hint="write 14d, or 2026-12-24")
    if time <= now:
        raise InvalidInput(f"{said!r} is over already", hint="an approval expires later than now")
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
