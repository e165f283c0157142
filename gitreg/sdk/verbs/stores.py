"""The commands on a registry's stores: status, copying, adding and removing replicas, verification."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.blobs import NO_PROGRESS, Manifest, Progress, Replicas, Store, collect, open_store, replicate
from gitreg.errors import GitregError, InvalidInput, NotFound, Refused, Unreachable
from gitreg.registry.operations.stores import add_replica, remove_replica
from gitreg.registry.state.store_urls import default_folder, same_place, spelled, store_urls
from gitreg.registry.weights.replica_status import Copying, ReplicaStatus, holdings
from gitreg.registry.weights.verification import Verification
from gitreg.registry.weights.verify_checkpoint import VerifyCheckpoint
from gitreg.registry.writing.commit import Outcome
from gitreg.sdk.environment import Environment
from gitreg.sdk.store_claims import leave_claims

if TYPE_CHECKING:
    from gitreg.registry.doctor import Problem
    from gitreg.registry.remote.upstream import Upstream
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.session import PathLike


def spelled_out(told: str, folder: Path) -> str:
    """Return the full address of a store that a user names in a folder: a URL unchanged, a path made absolute.

    Raises
    ------
    InvalidInput
        The text is empty, or neither a URL nor a path: ``s3:/bucket``, ``machine:/folder``.
    """
    if "://" in told:
        return told
    if not told or ":" in told.partition("/")[0]:
        raise InvalidInput(
            f"store {told!r} is neither a folder nor a URL",
            hint="write s3://bucket/folder, sftp://machine/folder, /folder or ./folder",
        )
    return os.path.normpath(folder / told)


def approve(urls: Sequence[str]) -> list[str]:
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
        environment.approvals().approve(address)
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


def held(registry: Registry, references: Sequence[str] = ()) -> list[list[ReplicaStatus]]:
    """Return the state of versions, or of all, in each of the registry's stores.

    Returns
    -------
    list:
        For each version, one `Holding` for each store, the primary first.
    """
    named = registry.named_stores()
    source = Replicas([each.opened for each in named if each.opened], registry.tell)
    return holdings(registry.holders_meant(references), named, source, registry.tell)


def copying(
    registry: Registry, references: Sequence[str] = (), *, to: PathLike | None = None, source: PathLike | None = None
) -> Copying:
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
        raise InvalidInput("neither where to copy to nor where from is said", hint="name a store with --to or --from")
    target = registry.store if to is None else open_store(registry.address(to))
    if source is None:
        sources = [store for store in registry.stores.in_order if not same_place(store.url, target.url)]
    else:
        sources = [open_store(registry.address(source))]
        if sources[0].gone:
            raise NotFound(f"the store {sources[0].url} is not there", hint="check the path, or mount its disk")
    versions = registry.holders_meant(references)
    repository = registry.branch.repository
    named = set(store_urls(registry.snapshot().settings, repository)) - {str(default_folder(repository))}
    if any(same_place(url, target.url) for url in named):
        leave_claims(registry, target)
    target.prepare()
    manifests = Replicas([*sources, target], registry.tell)
    return Copying(versions, sources, target, registry.environment.spool(), manifests)


def restore(registry: Registry, manifest: Manifest) -> None:
    """Copy the files of a manifest that the primary store lacks back to it, from the replicas or the user's cache.

    Raises
    ------
    IntegrityError
        None of them has an intact copy of one of the files.
    """
    registry.store.prepare()
    copied = replicate(manifest, _replicas(registry), registry.store, registry.environment.spool())
    if not copied.error:
        return
    folder = registry.environment.cache().find(manifest.digest)
    if folder is None:
        raise copied.error
    with registry.saving(NO_PROGRESS) as saving:
        if saving.put(collect([folder])) != manifest:
            raise copied.error


def add_store(registry: Registry, url: PathLike) -> Outcome:
    """Add a replica to the registry's settings, trust it, and return the outcome.

    See :mod:`gitreg.registry.operations.stores`.

    Raises
    ------
    InvalidInput
        gitreg cannot open a store of that kind.
    Refused
        It is the primary store.
    """
    address = registry.address(url)
    store = open_store(address)
    if same_place(address, registry.store_url):
        raise Refused(f"{address} is the store that this registry saves to", hint="name another one for its copies")
    with suppress(GitregError):  # the store may be read-only or unreachable here; copying to it reports that
        store.create()
    outcome = registry.commit(partial(add_replica, url=spelled(address, registry.branch.repository)))
    registry.environment.approvals().approve(address)
    registry.forget_stores()
    with suppress(GitregError):  # the store may be read-only here; a process that copies to it leaves the claim
        leave_claims(registry, store)
    return outcome


def remove_store(registry: Registry, url: PathLike) -> Outcome:
    """Remove a replica from the registry's settings and return the outcome; its blobs stay.

    Raises
    ------
    NotFound
        The registry has no such replica.
    """
    told = spelled(registry.address(url), registry.branch.repository)
    outcome = registry.commit(partial(remove_replica, url=told))
    registry.forget_stores()
    return outcome


def verification(registry: Registry, reference: str | None, share: float, progress: Progress) -> Verification:
    """Return the verification of a version, or of all (:meth:`gitreg.Registry.verify`); each has a checkpoint file."""
    from gitreg.sdk.verbs.sealed import fetch_history

    branch = registry.branch
    if reference is None or registry.snapshot().settings.policies:  # gates read the history before a promotion
        fetch_history(registry)
    scope = f"{branch.repository.common_dir}\n{branch.name}\n{branch.root}\n{reference}\n{share}"
    name = sha256(scope.encode(errors="surrogateescape")).hexdigest()[:32]
    source = registry.stores  # warns of stores that are left out
    return Verification(
        branch,
        registry.holders_meant([] if reference is None else [reference], tell=False),
        source,
        [registry.store, *_replicas(registry)],
        share=share,
        whole=reference is None,
        run=VerifyCheckpoint(registry.environment.unfinished(name) if share else None, registry.environment.clock()),
        verdicts=registry.verdicts,
        tell=registry.tell,
        progress=progress,
    )


def _replicas(registry: Registry) -> list[Store]:
    return [each.opened for each in registry.named_stores()[1:] if each.opened]


def examination(registry: Registry) -> list[Problem]:
    """Return the problems of a registry, its stores and its remote (:mod:`gitreg.registry.doctor`).

    Warns
    -----
    UserWarning
        A store is not trusted, or the remote does not answer; it is left out.
    """
    from gitreg.registry.doctor import Problem, examine, problems_of_gates, problems_of_weights, without_refused
    from gitreg.registry.promotion.holders import is_refused, refused_mirrors, sentence

    branch, upstream = registry.branch, reachable(registry)
    found = list(examine(branch, upstream, cached=registry.is_mirror))
    if any(problem.repair == "reindex" for problem in found):
        return found
    judged = registry.judge_holders()
    for decision in judged:
        if decision.unmet and not is_refused(decision):
            registry.tell(sentence(decision))
    found = [*problems_of_gates(judged), *without_refused(found, refused_mirrors(branch.snapshot(), judged))]
    primary, *replicas = registry.named_stores()
    for each in (primary, *replicas):
        if isinstance(each.error, Refused):
            registry.tell(f"no weights were looked for in {each.url}: it is not approved (`gitreg trust`)")
    if primary.opened is not None:
        opened = [each.opened for each in replicas if each.opened]
        cache = registry.environment.cache()
        found += problems_of_weights(
            branch.snapshot(), primary.opened, opened, registry.stores, lambda digest: cache.find(digest) is not None
        )
    elif primary.error is not None and not isinstance(primary.error, Refused):
        what = primary.error.message.removeprefix(f"{primary.url}: ")
        found.append(Problem(primary.url, what, primary.error.hint or "name another store"))
    return found


def reachable(registry: Registry) -> Upstream | None:
    """Return the upstream if it answers; otherwise None, with a warning if it was tried."""
    upstream = None if registry.environment.offline else registry.upstream
    if upstream is None:
        return None
    try:
        upstream.fetch()
    except (Unreachable, NotFound, Refused) as error:
        registry.tell(f"{upstream.name} was not looked at: {error.message}")
        return None
    return upstream
