"""The commands on a registry's stores: status, copying, adding and removing replicas, verification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from gitreg.blobs.files import collect
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.replicas import Replicas
from gitreg.blobs.replication import replicate
from gitreg.blobs.store import Store
from gitreg.blobs.urls import open_store
from gitreg.errors import GitregError, IntegrityError, InvalidInput, NotFound, Refused
from gitreg.progress import NO_PROGRESS, Progress
from gitreg.registry.operations.stores import add_replica, remove_replica, set_primary
from gitreg.registry.state.store_urls import (
    default_folder,
    is_private,
    same_store,
    spelled_out,
    store_setting,
    store_urls,
)
from gitreg.registry.weights.garbage import live_manifests
from gitreg.registry.weights.replica_status import CopiedVersion, ReplicaStatus, Replication, replica_statuses
from gitreg.registry.weights.store_users import StoreUser, surveyed
from gitreg.registry.weights.verification import Verification
from gitreg.registry.weights.verify_checkpoint import VerifyCheckpoint
from gitreg.registry.writing.changes import Changes
from gitreg.registry.writing.commit import Outcome
from gitreg.sdk.environment import Environment
from gitreg.sdk.verbs.holders import holders
from gitreg.sdk.verbs.sealed import fetch_history
from gitreg.sdk.verbs.settings_rules import judged
from gitreg.units import size_text

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot
    from gitreg.sdk.session import PathLike, Session


def trust_stores(urls: Sequence[str]) -> list[str]:
    """Trust stores by their addresses, regardless of the registries that name them, and return the addresses.

    Raises
    ------
    InvalidInput
        gitreg cannot open one of them; then none is trusted.
    """
    environment = Environment.of_this_process()
    addresses = [spelled_out(url, environment.folder) for url in urls]
    for address in addresses:
        open_store(address)  # reads nothing; refuses an address that cannot be opened or has a password
    for address in addresses:
        environment.trusted_stores().trust(address)
    return addresses


def create_store(url: str) -> tuple[str, bool]:
    """Create a store; return its address, and True if it was created now.

    Raises
    ------
    InvalidInput
        gitreg cannot open a store of that kind.
    GitregError
        Its bucket does not exist, or cannot be written.
    """
    address = spelled_out(url, Environment.of_this_process().folder)
    return address, open_store(address).create()


def held(session: Session, references: Sequence[str] = ()) -> list[list[ReplicaStatus]]:
    """Return the state of versions, or of all, in each of the registry's stores.

    Returns
    -------
    list:
        For each version, one `Holding` for each store, the primary first.
    """
    named = session.named_stores()
    source = Replicas([each.opened for each in named if each.opened], session.tell)
    return replica_statuses(holders(session, references), named, source, session.tell)


def copying(
    session: Session, references: Sequence[str] = (), *, to: PathLike | None = None, source: PathLike | None = None
) -> Replication:
    """Return a replication of versions, or of all, that copies the blobs a store lacks; iterate over its ``run``.

    Parameters
    ----------
    to:
        The URL or folder of the target, trusted because the caller names it; None takes the primary store.
    source:
        The URL or folder of the source, likewise; None takes all stores of the registry.

    Raises
    ------
    InvalidInput
        Neither is given, or gitreg cannot open one of them.
    NotFound
        The source does not exist.
    StoreGoneError
        The target does not exist (the repository's own folder is created).
    Refused
        A store that gitreg.yaml names is needed and not trusted.
    """
    if to is None and source is None:
        raise InvalidInput("no store was named to copy from or to", hint="name a store with --to or --from")
    target = session.store if to is None else open_store(session.address(to))
    if source is None:
        sources = [store for store in session.stores.in_order if not same_store(store.url, target.url)]
    else:
        sources = [open_store(session.address(source))]
        if sources[0].gone:
            raise NotFound(f"the store {sources[0].url} is not there", hint="check the path, or mount its disk")
    versions = holders(session, references)
    repository = session.branch.repository
    named = set(store_urls(session.snapshot().settings, repository)) - {str(default_folder(repository))}
    if any(same_store(url, target.url) for url in named):
        session.leave_claims(target)
    target.prepare()
    manifests = Replicas([*sources, target], session.tell)
    return Replication(versions, sources, target, session.environment.spool(), manifests)


def restore(session: Session, manifest: Manifest) -> None:
    """Copy the files of a manifest that the primary store lacks back to it, from the replicas or the user's cache.

    Raises
    ------
    IntegrityError
        None of them has an intact copy of one of the files.
    """
    session.store.prepare()
    copied = replicate(manifest, opened_replicas(session), session.store, session.environment.spool())
    if not copied.error:
        return
    folder = session.environment.cache().find(manifest.digest)
    if folder is None:
        raise copied.error
    with session.saving(NO_PROGRESS) as saving:
        if saving.put(collect([folder])) != manifest:
            raise copied.error


def add_store(session: Session, url: PathLike) -> Outcome:
    """Add a replica to the registry's settings, trust it, and return the outcome.

    See :mod:`gitreg.registry.operations.stores`.

    Raises
    ------
    InvalidInput
        gitreg cannot open a store of that kind.
    Refused
        It is the primary store.
    """
    address = session.address(url)
    store = open_store(address)
    if same_store(address, session.store_url):
        raise Refused(f"{address} is the store that this registry saves to", hint="name another one for its copies")
    with suppress(GitregError):  # the store may be read-only or unreachable here; copying to it reports that
        store.create()
    outcome = session.commit(
        judged(session, partial(add_replica, url=store_setting(address, session.branch.repository)))
    )
    session.environment.trusted_stores().trust(address)
    session.forget_stores()
    with suppress(GitregError):  # the store may be read-only here; a process that copies to it leaves the claim
        session.leave_claims(store)
    return outcome


def set_store(
    session: Session, url: PathLike, fill: Callable[[Replication], Iterable[CopiedVersion]] | None = None
) -> Outcome:
    """Set the primary store of the registry in one commit, trust it, and return the outcome.

    All weights have to be in it before: of versions, artifacts, drafts and proposals, here and on the remote. What the
    former store holds stays there.

    Parameters
    ----------
    fill:
        Runs the replication that copies what the store lacks, and returns its results; None copies nothing.

    Raises
    ------
    InvalidInput
        gitreg cannot open a store of that kind, or other clones of the registry would not reach it.
    Refused
        The store lacks weights, and none are to be copied; or a store that gitreg.yaml names is not trusted.
    IntegrityError
        Weights are damaged or missing in all stores, so that not all could be copied.
    """
    address, repository = session.address(url), session.branch.repository
    target, setting = open_store(address), store_setting(address, repository)
    if same_store(address, session.store_url):
        session.environment.trusted_stores().trust(address)
        return Outcome(None, Changes(subject=f"Move the weights to {setting}"), {})
    if session.remote is not None and is_private(setting):
        raise InvalidInput(
            f"{address} is a folder of this clone alone, and {session.remote} would get the records alone",
            hint="name a folder or a bucket that all clones reach, as s3://bucket/folder",
        )
    sources = [] if fill is None else [store for store in session.stores.in_order if store.url != target.url]
    checked: list[str] = []

    def operation(snapshot: Snapshot) -> Changes:
        if snapshot.commit not in checked:  # others have saved since
            _fill(session, sources, target, fill)
        return set_primary(snapshot, setting)

    _fill(session, sources, target, fill)
    checked.append(session.snapshot().commit)
    outcome = session.commit(judged(session, operation))
    session.environment.trusted_stores().trust(address)
    session.forget_stores()
    return outcome


def _fill(
    session: Session,
    sources: Sequence[Store],
    target: Store,
    fill: Callable[[Replication], Iterable[CopiedVersion]] | None,
) -> None:
    """Copy all weights that a store lacks to it, or raise if there are any and they cannot be copied."""
    upstream = None if session.environment.offline else session.upstream
    head = session.branch.head()
    user = surveyed(session.branch, upstream) if upstream else StoreUser(session.branch, (head,) if head else ())
    manifests = Replicas([*sources, target], session.tell)
    spool = session.environment.spool()
    lacking = Replication(holders(session, []), sources, target, spool, manifests, live_manifests(user, manifests))
    if fill is not None:
        target.create()
        session.leave_claims(target)
        failed = [each for each in fill(lacking) if each.problem is not None]
        if failed:
            more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            raise IntegrityError(
                f"the weights stay in {session.store_url}: {failed[0].reference}: {failed[0].problem}{more}",
                hint="all else was copied; restore that, or `gitreg delete` it, and try again",
            )
    elif not lacking.is_done:
        raise Refused(
            f"{target.url} lacks weights of this registry: {size_text(lacking.size)}",
            hint="`gitreg store set URL --copy` copies them first",
        )
    else:
        target.create()
        session.leave_claims(target)


def remove_store(session: Session, url: PathLike) -> Outcome:
    """Remove a replica from the registry's settings and return the outcome; its blobs stay.

    Raises
    ------
    NotFound
        The registry has no such replica.
    """
    setting = store_setting(session.address(url), session.branch.repository)
    outcome = session.commit(judged(session, partial(remove_replica, url=setting)))
    session.forget_stores()
    return outcome


def verification(session: Session, reference: str | None, share: float, progress: Progress | None) -> Verification:
    """Return the verification of a version, or of all (:meth:`gitreg.Registry.verify`); each has a checkpoint file."""
    branch = session.branch
    if reference is None or session.snapshot().settings.policies:  # gates read the history before a promotion
        fetch_history(session)
    scope = f"{branch.repository.common_dir}\n{branch.name}\n{branch.root}\n{reference}\n{share}"
    name = sha256(scope.encode(errors="surrogateescape")).hexdigest()[:32]
    source = session.stores  # warns of stores that are left out
    return Verification(
        branch,
        holders(session, [] if reference is None else [reference], warn=False),
        source,
        [session.store, *opened_replicas(session)],
        share=share,
        whole=reference is None,
        run=VerifyCheckpoint(session.environment.unfinished(name) if share else None, session.environment.clock()),
        verdicts=session.verdicts,
        tell=session.tell,
        progress=progress or NO_PROGRESS,
    )


def size_to_read(session: Session, reference: str | None, share: float) -> int | None:
    """Return about how many bytes a verification reads: each artifact once in the primary store; None for none."""
    found = holders(session, [] if reference is None else [reference], warn=False)
    sizes = {each.digest: each.size for holder in found for each in holder.artifacts.values()}
    return int(sum(sizes.values()) * share) or None


def opened_replicas(session: Session) -> list[Store]:
    """Return the replicas that the user trusts."""
    return [each.opened for each in session.named_stores()[1:] if each.opened]
