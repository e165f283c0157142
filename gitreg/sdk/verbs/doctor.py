"""The commands `doctor` and `doctor --repair`: the problems of a registry, its stores and its remote."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from gitreg.errors import NotFound, Refused, Unreachable
from gitreg.registry.doctor import (
    Problem,
    examine,
    problems_of_gates,
    problems_of_weights,
    repair,
    without_refused,
)
from gitreg.registry.operations.settings import give_id
from gitreg.registry.promotion.stage_holders import is_refused, refused_mirrors, sentence
from gitreg.sdk.verbs.decisions import judge_holders
from gitreg.sdk.verbs.stores import restore

if TYPE_CHECKING:
    from gitreg.registry.remote.upstream import Upstream
    from gitreg.sdk.session import Session


def examine_registry(session: Session) -> list[Problem]:
    """Return the problems of a registry, its stores and its remote (:mod:`gitreg.registry.doctor`).

    Warns
    -----
    UserWarning
        A store is not trusted, or the remote does not answer; it is left out. Or the registry has a remote, and its
        weights lie in this clone alone.
    """
    branch, upstream = session.branch, reachable(session)
    found = list(examine(branch, upstream, cached=session.is_mirror))
    if any(problem.repair == "reindex" for problem in found):
        return found
    judged = judge_holders(session)
    for decision in judged:
        if decision.unmet and not is_refused(decision):
            session.tell(sentence(decision))
    found = [*problems_of_gates(judged), *without_refused(found, refused_mirrors(branch.snapshot(), judged))]
    session.warn_of_private_store()
    primary, *replicas = session.named_stores()
    for each in (primary, *replicas):
        if isinstance(each.error, Refused):
            session.tell(
                f"no weights were looked for in {each.url}: it is not trusted on this machine (`gitreg trust --stores`)"
            )
    if primary.opened is not None:
        opened = [each.opened for each in replicas if each.opened]
        cache = session.environment.cache()
        found += problems_of_weights(
            branch.snapshot(), primary.opened, opened, session.stores, lambda digest: cache.find(digest) is not None
        )
    elif primary.error is not None and not isinstance(primary.error, Refused):
        reason = primary.error.message.removeprefix(f"{primary.url}: ")
        found.append(Problem(primary.url, reason, primary.error.hint or "name another store"))
    return found


def repair_registry(session: Session, problems: Sequence[Problem]) -> list[Problem]:
    """Repair the problems that gitreg can repair, and return those."""

    def identify() -> object:
        return session.commit(partial(give_id, registry_id=session.environment.draw_id()))

    upstream = reachable(session)
    # Two clones that each create an id would be two different registries from then on.
    alone = upstream is not None or session.branch.snapshot().settings.remote is None
    return repair(
        session.branch,
        list(problems),
        restore=partial(restore, session),
        give_id=identify if alone else None,
        upstream=upstream,
    )


def reachable(session: Session) -> Upstream | None:
    """Return the upstream if it answers; otherwise None, with a warning if it was tried."""
    upstream = None if session.environment.offline else session.upstream
    if upstream is None:
        return None
    try:
        upstream.fetch()
    except (Unreachable, NotFound, Refused) as error:
        session.tell(f"{upstream.name} was not looked at: {error.message}")
        return None
    return upstream
